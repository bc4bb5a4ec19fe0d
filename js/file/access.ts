/** Files that can be read in ranges: one in memory, and one of a server. */

import { MOST_WHOLE } from "./limits";
import { GoneError, type RandomAccess, RecordingError } from "./place";

/** A file that counts what it costs, and that can be let go of. */
export interface CountedFile extends RandomAccess {
  readonly cost: { readonly requests: number; readonly bytes: number };
  /** Ends requests that are under way. */
  close(): void;
}

/** A file of which all bytes are here. */
export function memoryFile(name: string, bytes: Uint8Array): CountedFile {
  const slice = (begin: number, end: number) =>
    Promise.resolve(new Uint8Array(bytes.slice(begin, end)));
  return {
    name,
    cost: { requests: 0, bytes: 0 },
    size: () => Promise.resolve(bytes.length),
    read: slice,
    tail: (most) => slice(Math.max(0, bytes.length - most), bytes.length),
    close() {},
  };
}

/** The part of a file that a request asks for; `suffix` counts from its end. */
export type FetchRange =
  | { readonly begin: number; readonly end: number }
  | { readonly suffix: number };

/** The value of the `Range` header of a request. */
export function rangeHeader(range: FetchRange): string {
  return "suffix" in range ? `bytes=-${range.suffix}` : `bytes=${range.begin}-${range.end - 1}`;
}

/** Makes one request, with `rangeHeader(range)`; whoever opens a file says where to and how. */
export type Fetch = (range: FetchRange, signal: AbortSignal) => Promise<Response>;

/** A file of a server: that of JupyterLab, or any that may be asked from this page. */
export function httpFile(name: string, fetch: Fetch): CountedFile {
  return new HttpFile(name, fetch);
}

class HttpFile implements CountedFile {
  readonly name: string;
  readonly #fetch: Fetch;
  readonly #abort = new AbortController();
  readonly cost = { requests: 0, bytes: 0 };
  #size: number | null = null;
  /** All bytes, where the server sends nothing less. */
  #whole: Uint8Array<ArrayBuffer> | null = null;
  /** Tells one content of the file from another that takes its place. */
  #tag: string | null = null;

  constructor(name: string, fetch: Fetch) {
    this.name = name;
    this.#fetch = fetch;
  }

  close(): void {
    this.#abort.abort();
    this.#whole = null;
  }

  async size(): Promise<number> {
    if (this.#size === null) await this.tail(8);
    return this.#size ?? 0;
  }

  read(begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#whole) return Promise.resolve(this.#whole.slice(begin, end));
    return begin === end ? Promise.resolve(new Uint8Array(0)) : this.#ask({ begin, end });
  }

  tail(most: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#whole)
      return Promise.resolve(this.#whole.slice(Math.max(0, this.#whole.length - most)));
    return this.#ask({ suffix: most });
  }

  async #ask(range: FetchRange): Promise<Uint8Array<ArrayBuffer>> {
    this.cost.requests++;
    let answer: Response;
    try {
      answer = await this.#fetch(range, this.#abort.signal);
    } catch (problem) {
      throw this.#unreachable(String(problem instanceof Error ? problem.message : problem));
    }
    if (answer.status === 416) return this.#unsatisfied(answer);
    if (answer.status === 200) return this.#cut(await this.#all(answer), range);
    if (answer.status !== 206) throw this.#refused(answer.status);
    const told = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.headers.get("Content-Range") ?? "");
    if (!told) throw this.#unreachable("the server sent a part without saying which");
    const [begin, last, size] = told.slice(1).map(Number) as [number, number, number];
    this.#remember(size, answer.headers.get("ETag") ?? answer.headers.get("Last-Modified"));
    const wanted =
      "suffix" in range
        ? { begin: Math.max(0, size - range.suffix), end: size }
        : { begin: range.begin, end: range.end };
    if (begin !== wanted.begin || last + 1 !== wanted.end) {
      throw this.#unreachable("the server sent another part than was asked for");
    }
    const bytes = await this.#body(answer, wanted.end - wanted.begin);
    if (bytes.length !== wanted.end - wanted.begin) {
      throw this.#unreachable("the connection broke off");
    }
    return bytes;
  }

  /** An empty file has no last bytes; some servers say so instead of sending none. */
  #unsatisfied(answer: Response): Uint8Array<ArrayBuffer> {
    const told = /^bytes \*\/(\d+)$/.exec(answer.headers.get("Content-Range") ?? "");
    if (told?.[1] !== "0" && this.#size !== null) throw this.#changed();
    if (told?.[1] !== "0") throw this.#refused(416);
    this.#size = 0;
    return new Uint8Array(0);
  }

  #remember(size: number, tag: string | null): void {
    const isOther = this.#tag !== null && tag !== null && this.#tag !== tag;
    if ((this.#size !== null && this.#size !== size) || isOther) throw this.#changed();
    this.#size = size;
    this.#tag ??= tag;
  }

  async #all(answer: Response): Promise<Uint8Array<ArrayBuffer>> {
    const told = Number(answer.headers.get("Content-Length") ?? 0);
    if (told > MOST_WHOLE) throw this.#tooLarge();
    const bytes = await this.#body(answer, MOST_WHOLE);
    this.#remember(bytes.length, null);
    this.#whole = bytes;
    return bytes;
  }

  #cut(whole: Uint8Array<ArrayBuffer>, range: FetchRange): Uint8Array<ArrayBuffer> {
    return "suffix" in range
      ? whole.slice(Math.max(0, whole.length - range.suffix))
      : whole.slice(range.begin, range.end);
  }

  /** No more than `most` bytes are taken, whatever is sent. */
  async #body(answer: Response, most: number): Promise<Uint8Array<ArrayBuffer>> {
    const reader = answer.body?.getReader();
    if (!reader) return new Uint8Array(await this.#buffer(answer));
    const pieces: Uint8Array[] = [];
    let length = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        length += value.length;
        this.cost.bytes += value.length;
        if (length > most) {
          await reader.cancel();
          throw most === MOST_WHOLE
            ? this.#tooLarge()
            : this.#unreachable("the server sent more than was asked for");
        }
        pieces.push(value);
      }
    } catch (problem) {
      throw problem instanceof RecordingError
        ? problem
        : this.#unreachable("the connection broke off");
    }
    const whole = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  async #buffer(answer: Response): Promise<ArrayBuffer> {
    const buffer = await answer.arrayBuffer();
    this.cost.bytes += buffer.byteLength;
    return buffer;
  }

  #unreachable(why: string): RecordingError {
    return new RecordingError(
      "unreachable",
      `${this.name} cannot be read: ${why}`,
      "Check the connection to the server, and try again.",
    );
  }

  #refused(status: number): RecordingError {
    const why: Readonly<Record<number, [string, string]>> = {
      401: ["the server wants you to log in", "Log in again, and reload this page."],
      403: ["there is no permission to read it", "Have its owner allow you to read it."],
      404: ["it is not there any more", "Look for it in the file browser: it may have been moved."],
      410: ["it is not there any more", "Look for it in the file browser: it may have been moved."],
    };
    const [problem, remedy] = why[status] ?? [
      `the server answers ${status}`,
      "Check the connection to the server, and try again.",
    ];
    const sentence = `${this.name} cannot be read: ${problem}`;
    const isGone = status === 404 || status === 410;
    return isGone
      ? new GoneError(sentence, remedy)
      : new RecordingError("unreachable", sentence, remedy);
  }

  #changed(): RecordingError {
    return new RecordingError(
      "unreachable",
      `${this.name} has changed since it was opened`,
      "Open it again.",
    );
  }

  #tooLarge(): RecordingError {
    return new RecordingError(
      "too large",
      `${this.name} can only be read as a whole here, and has more than ${MOST_WHOLE >> 20} MB`,
      "The server does not send parts of files. Open it in a notebook: pw.replay(path).",
    );
  }
}
