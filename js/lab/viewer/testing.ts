/** A server of files for tests: the contents API and `/files/`, as JupyterLab asks them. */

import { type Contents, ServerConnection } from "@jupyterlab/services";
import type { TranslationBundle } from "@jupyterlab/translation";
import type { Services } from "./lab-files";

/** How the server answers for files. */
export type Manner = "ranges" | "whole" | "none" | "page" | "login" | "broken" | "endless";

export interface Asked {
  readonly url: string;
  readonly range: string | null;
}

const BASE = "http://host/hub/user/me/";

export class FakeServer {
  readonly asked: Asked[] = [];
  readonly got: { path: string; options: Contents.IFetchOptions | undefined }[] = [];
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  manner: Manner = "ranges";
  /** Bytes that were sent by a server that sends without end. */
  sent = 0;
  /** Requests are not answered. */
  hangs = false;
  modified = "2026-01-01T00:00:00Z";
  /** What the contents API answers instead of files; null answers. */
  refusal: number | null = null;
  /** Hears what each range was answered with. */
  answered: (status: number) => void = () => undefined;
  /** What a server of the contents API says of a size; null is that of the bytes. */
  size: number | null = null;
  /** What it sends in the place of the bytes. */
  text: string | null = null;

  get services(): Services {
    const settings = ServerConnection.makeSettings({
      baseUrl: BASE,
      token: "secret",
      fetch: (input: RequestInfo | URL, init?: RequestInit) =>
        this.#answer(new Request(input, init)),
    });
    const contents = {
      localPath: (path: string) => path.split(":").pop() ?? path,
      getDownloadUrl: (path: string) => Promise.resolve(`${BASE}files/${encodeURI(path)}`),
      get: (path: string, options?: Contents.IFetchOptions) => this.#get(path, options),
    } as unknown as Contents.IManager;
    const trans = { __: translated } as unknown as TranslationBundle;
    return { contents, settings, trans };
  }

  #answer(request: Request): Promise<Response> {
    const path = decodeURI(request.url.slice(`${BASE}files/`.length).split("?")[0] as string);
    const range = request.headers.get("Range");
    this.asked.push({ url: request.url, range });
    const bytes = this.files.get(path);
    if (this.hangs) {
      const { signal } = request;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    }
    const page = this.#page();
    if (page) return Promise.resolve(page);
    if (this.manner === "endless") return Promise.resolve(this.#endless(range !== null));
    if (!bytes || this.manner === "none") return Promise.resolve(new Response("", { status: 404 }));
    if (this.manner === "whole") return Promise.resolve(new Response(bytes));
    const answer = ranged(bytes, range ?? "");
    this.answered(answer.status);
    return Promise.resolve(answer);
  }

  #page(): Response | null {
    const headers = { "Content-Type": "text/html; charset=UTF-8" };
    if (this.manner === "page") return new Response("<html>", { status: 200, headers });
    if (this.manner === "broken") return new Response("<html>", { status: 503, headers });
    if (this.manner !== "login") return null;
    const answer = new Response("<html>", { status: 200, headers });
    return Object.defineProperty(answer, "url", { value: `${BASE}login?next=%2Ffiles%2Fa` });
  }

  #endless(isPart: boolean): Response {
    const piece = new Uint8Array(2 ** 20);
    const stream = new ReadableStream({
      pull: (out) => {
        this.sent += piece.length;
        // No test waits for ever.
        if (this.sent > 2 ** 29) out.close();
        else out.enqueue(piece);
      },
    });
    const headers = { "Content-Range": `bytes 0-${2 ** 40 - 1}/${2 ** 40}` };
    return isPart ? new Response(stream, { status: 206, headers }) : new Response(stream);
  }

  #get(path: string, options?: Contents.IFetchOptions): Promise<unknown> {
    this.got.push({ path, options });
    const bytes = this.files.get(path);
    const status = bytes ? this.refusal : 404;
    if (!bytes || status !== null) {
      return Promise.reject(Object.assign(new Error("refused"), { response: { status } }));
    }
    const content = options?.content ? (this.text ?? btoa(String.fromCharCode(...bytes))) : null;
    const size = this.size ?? bytes.length;
    return Promise.resolve({ path, size, content, last_modified: this.modified });
  }
}

/** As `__` of a bundle of translations without any. */
function translated(text: string, ...values: unknown[]): string {
  return text.replace(/%(\d)/g, (_, place) => String(values[Number(place) - 1]));
}

function ranged(bytes: Uint8Array<ArrayBuffer>, range: string): Response {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  const size = bytes.length;
  const begin = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(size, Number(last) + 1) : size;
  const headers = { "Content-Range": `bytes ${begin}-${end - 1}/${size}` };
  if (begin >= size) {
    return new Response("", { status: 416, headers: { "Content-Range": `bytes */${size}` } });
  }
  return new Response(bytes.slice(begin, end), { status: 206, headers });
}
