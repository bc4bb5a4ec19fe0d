import type { Folder } from "../place";
import type { RecordingChannel } from "../recording";
export declare function openDirectory(folder: Folder, options?: {hidden?: () => boolean; gone?: () => void}): Promise<RecordingChannel>;
