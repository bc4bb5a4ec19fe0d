/**
 * Files of the contents API, read in ranges where the server serves any; else whole, up to a size.
 * URLs and headers are made by JupyterLab alone: they carry the base URL, the token and XSRF.
 */

import { type Contents, ServerConnection } from "@jupyterlab/services";
import type { TranslationBundle } from "@jupyterlab/translation";
import { type CountedFile, httpFile, memoryFile, rangeHeader } from "../../file/access";
import { MOST_WHOLE } from "../../file/limits";
import { type Entry, type Folder, GoneError, RecordingError } from "../../file/place";
import { MOST_BYTES, tooLarge } from "../../file/running/directory";

const MIB = 2 ** 20;
const PARTIAL = 206;
const WHOLE = 200;
const UNSATISFIABLE = 416;

/** What happens while files are read. */
export interface Watch {
  readonly signal: AbortSignal;
  /** `size` is that of the file; null where it is not known yet. */
  fetched(bytes: number, size: number | null): void;
}

export interface Services {
  readonly contents: Contents.IManager;
  readonly settings: ServerConnection.ISettings;
  readonly trans: TranslationBundle;
}

/** Where a file or folder is now: it may be renamed while it is read. */
export type Where = () => string;

/** The reading of files for one view. */
export class LabFiles {
  readonly #services: Services;
  readonly #watch: Watch;
  /** How far the clock of the server is ahead of ours, in seconds. */
  #ahead = 0;

  constructor(services: Services, watch: Watch) {
    this.#services = services;
    this.#watch = watch;
  }

  file(where: Where): CountedFile {
    const ranged = httpFile(this.#nameOf(where()), (range, signal) =>
      this.#ask(where(), rangeHeader(range), signal),
    );
    return new EitherFile(ranged, (problem) => this.#whole(where(), problem));
  }

  folder(where: Where): Folder {
    const at = (inside: string) => [where(), inside].filter((part) => part !== "").join("/");
    return {
      name: this.#nameOf(where()),
      list: (inside) => this.#list(at(inside)),
      file: (inside) => this.file(() => at(inside)),
      since: (inside, begin) => this.#since(at(inside), begin),
      now: () => Date.now() / 1000 + this.#ahead,
    };
  }

  /**
   * Whether there is such a file.
   *
   * @throws RecordingError when the server does not tell.
   */
  async has(path: string): Promise<boolean> {
    try {
      await this.#services.contents.get(path, { content: false });
      return true;
    } catch (problem) {
      const status = statusOf(problem);
      if (status === 404) return false;
      throw this.#unreachable(this.#nameOf(path), status);
    }
  }

  #nameOf(path: string): string {
    return this.#services.contents.localPath(path).split("/").pop() ?? path;
  }

  async #ask(path: string, range: string, signal?: AbortSignal): Promise<Response> {
    const { contents, settings } = this.#services;
    this.#watch.signal.throwIfAborted();
    const url = await contents.getDownloadUrl(path);
    const both = signal ? AbortSignal.any([signal, this.#watch.signal]) : this.#watch.signal;
    const init = { method: "GET", headers: { Range: range }, signal: both };
    const answer = await ServerConnection.makeRequest(url, init, settings);
    const time = Date.parse(answer.headers.get("Date") ?? "");
    if (Number.isFinite(time)) this.#ahead = (time - Date.now()) / 1000;
    // A page is no recording: it is what a server says of whatever it does not give.
    const isPage = answer.headers.get("Content-Type")?.startsWith("text/html");
    return isPage ? new Response(null, { status: meaningOf(answer) }) : this.#counted(answer);
  }

  /** The same answer; what arrives of it is told. */
  #counted(answer: Response): Response {
    if (!answer.body || (answer.status !== PARTIAL && answer.status !== WHOLE)) return answer;
    const told = answer.headers.get("Content-Range")?.split("/")[1];
    const size = Number(told ?? answer.headers.get("Content-Length") ?? Number.NaN);
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, out) => {
        this.#watch.fetched(piece.length, Number.isFinite(size) ? size : null);
        out.enqueue(piece);
      },
    });
    const { status, headers } = answer;
    return new Response(answer.body.pipeThrough(counter), { status, headers });
  }

  async #since(path: string, begin: number): Promise<Uint8Array<ArrayBuffer>> {
    const name = this.#nameOf(path);
    // One byte more: where nothing is new an answer without bytes would be an error in the console.
    const first = Math.max(0, begin - 1);
    const answer = await this.#ask(path, `bytes=${first}-`).catch(() => {
      this.#watch.signal.throwIfAborted();
      throw this.#unreachable(name, null);
    });
    if (answer.status === UNSATISFIABLE) return new Uint8Array(0);
    if (answer.status === PARTIAL) return (await this.#body(name, answer)).slice(begin - first);
    if (answer.status === WHOLE) return (await this.#body(name, answer)).slice(begin);
    const file = await this.#whole(path, this.#unreachable(name, answer.status));
    return file.read(begin, await file.size());
  }

  /** All that is sent, unless it is more than a page can hold. */
  async #body(name: string, answer: Response): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    const reader = answer.body?.getReader();
    for (let length = 0; reader; ) {
      const { done, value } = await reader.read().catch(() => {
        this.#watch.signal.throwIfAborted();
        throw this.#unreachable(name, null);
      });
      if (done) break;
      length += value.length;
      if (length > MOST_BYTES) {
        await reader.cancel();
        throw tooLarge(name);
      }
      pieces.push(value);
    }
    return new Uint8Array(await new Blob(pieces).arrayBuffer());
  }

  /** The whole file by the contents API; `problem` says why it cannot be read in ranges. */
  async #whole(path: string, problem: RecordingError): Promise<CountedFile> {
    const { contents } = this.#services;
    const { signal, fetched } = this.#watch;
    signal.throwIfAborted();
    const { size } = await contents.get(path, { content: false }).catch((other) => {
      const status = statusOf(other);
      // The one that knows about users and files says it better; some servers answer 404 to ranges
      // of files that they do have.
      const isPlain = status === 401 || status === 403 || status === 404;
      const isBetter = isPlain || problem instanceof GoneError;
      throw isBetter ? this.#unreachable(this.#nameOf(path), status) : problem;
    });
    signal.throwIfAborted();
    if ((size ?? 0) > MOST_WHOLE) throw this.#tooLarge(path, size ?? 0);
    const options = { content: true, type: "file", format: "base64" } as const;
    const { content } = await this.#get(path, options);
    signal.throwIfAborted();
    const text = String(content ?? "");
    // Not every drive tells sizes beforehand.
    const about = Math.floor((text.length * 3) / 4);
    if (about > MOST_WHOLE + MIB) throw this.#tooLarge(path, about);
    const bytes = decoded(text);
    fetched(bytes.length, bytes.length);
    return memoryFile(this.#nameOf(path), bytes);
  }

  async #list(path: string): Promise<Entry[]> {
    const { content } = await this.#get(path, { content: true, type: "directory" });
    const items = Array.isArray(content) ? (content as Contents.IModel[]) : [];
    return items.map(({ name, type, size, last_modified }) => ({
      name,
      isFolder: type === "directory",
      size: size ?? null,
      modified: Date.parse(last_modified) / 1000,
    }));
  }

  async #get(path: string, options: Contents.IFetchOptions): Promise<Contents.IModel> {
    try {
      return await this.#services.contents.get(path, options);
    } catch (problem) {
      throw this.#unreachable(this.#nameOf(path), statusOf(problem));
    }
  }

  #unreachable(name: string, status: number | null): RecordingError {
    const { trans } = this.#services;
    if (status === 404) {
      const remedy = trans.__("It may have been moved, renamed or deleted.");
      return new GoneError(trans.__("%1 is not there.", name), remedy);
    }
    if (status === 401 || status === 403) {
      const remedy = trans.__("Log in again, or have its owner allow you to read it.");
      return new RecordingError("unreachable", trans.__("%1 may not be read.", name), remedy);
    }
    const sentence =
      status === null
        ? trans.__("The server could not be reached to read %1.", name)
        : trans.__("The server answers %2 when %1 is read.", name, status);
    const remedy = trans.__("Check the connection to the server, and try again.");
    return new RecordingError("unreachable", sentence, remedy);
  }

  #tooLarge(path: string, bytes: number): RecordingError {
    const { trans } = this.#services;
    const sentence = trans.__(
      "%1 has %2 MB. Here files can only be read whole, and up to %3 MB.",
      this.#nameOf(path),
      Math.ceil(bytes / MIB),
      MOST_WHOLE / MIB,
    );
    return new RecordingError("too large", sentence, trans.__("Open it in a notebook:"));
  }
}

/** A file that is read in ranges, or as a whole when its first range cannot be had. */
class EitherFile implements CountedFile {
  readonly name: string;
  #file: CountedFile;
  /** Made when the first range fails; null once that is decided. */
  #other: ((problem: RecordingError) => Promise<CountedFile>) | null;

  constructor(file: CountedFile, other: (problem: RecordingError) => Promise<CountedFile>) {
    this.name = file.name;
    this.#file = file;
    this.#other = other;
  }

  get cost() {
    return this.#file.cost;
  }

  close(): void {
    this.#file.close();
  }

  size(): Promise<number> {
    return this.#first((file) => file.size());
  }

  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#first((file) => file.read(begin, end));
  }

  tail(most: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#first((file) => file.tail(most));
  }

  async #first<T>(read: (file: CountedFile) => Promise<T>): Promise<T> {
    const other = this.#other;
    try {
      const found = await read(this.#file);
      this.#other = null;
      return found;
    } catch (problem) {
      if (!other || !(problem instanceof RecordingError) || problem.trouble !== "unreachable") {
        throw problem;
      }
      this.#other = null;
      this.#file = await other(problem);
      return await read(this.#file);
    }
  }
}

/** What a server means that answers with a page: an error, "log in first", or that it has no such file. */
function meaningOf({ status, redirected, url }: Response): number {
  if (status >= 400) return status;
  return redirected || /\/login\b/.test(url) ? 401 : 404;
}

function statusOf(problem: unknown): number | null {
  const response = (problem as { response?: { status?: unknown } } | null)?.response;
  return typeof response?.status === "number" ? response.status : null;
}

function decoded(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64.replaceAll("\n", ""));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
