/** Reads tables of FlatBuffers, with every offset checked: https://flatbuffers.dev/internals. */

/** A table in some bytes. Whatever lies outside of them is a RangeError. */
export class FlatTable {
  readonly #view: DataView;
  readonly #place: number;
  readonly #fields: number;
  readonly #bytes: number;

  constructor(view: DataView, place: number) {
    this.#view = view;
    this.#place = place;
    this.#fields = place - view.getInt32(place, true);
    this.#bytes = view.getUint16(this.#fields, true);
  }

  static root(view: DataView): FlatTable {
    return new FlatTable(view, view.getUint32(0, true));
  }

  has(field: number): boolean {
    return this.#offset(field) !== 0;
  }

  byte(field: number): number {
    const offset = this.#offset(field);
    return offset === 0 ? 0 : this.#view.getUint8(this.#place + offset);
  }

  short(field: number): number {
    const offset = this.#offset(field);
    return offset === 0 ? 0 : this.#view.getInt16(this.#place + offset, true);
  }

  int(field: number): number {
    const offset = this.#offset(field);
    return offset === 0 ? 0 : this.#view.getInt32(this.#place + offset, true);
  }

  long(field: number): number {
    const offset = this.#offset(field);
    return offset === 0 ? 0 : Number(this.#view.getBigInt64(this.#place + offset, true));
  }

  table(field: number): FlatTable {
    return new FlatTable(this.#view, this.#follow(field));
  }

  text(field: number): string {
    const bytes = this.bytes(field);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  }

  /** The bytes of a text; none where there is no such field. */
  bytes(field: number): Uint8Array {
    if (!this.has(field)) return new Uint8Array(0);
    const place = this.#follow(field);
    const length = this.#view.getUint32(place, true);
    if (length > this.#view.byteLength - place - 4) throw new RangeError("a text breaks off");
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + place + 4, length);
  }

  tables(field: number, most: number): FlatTable[] {
    return this.#items(field, most, 4, (place) => {
      return new FlatTable(this.#view, place + this.#view.getUint32(place, true));
    });
  }

  /** A vector of structs of two int64. */
  pairs(field: number, most: number): [number, number][] {
    return this.#items(field, most, 16, (place) => [
      Number(this.#view.getBigInt64(place, true)),
      Number(this.#view.getBigInt64(place + 8, true)),
    ]);
  }

  #items<T>(field: number, most: number, width: number, read: (place: number) => T): T[] {
    if (!this.has(field)) return [];
    const place = this.#follow(field);
    const count = this.#view.getUint32(place, true);
    if (count > most) throw new RangeError("more parts than any message has");
    return Array.from({ length: count }, (_, i) => read(place + 4 + width * i));
  }

  #follow(field: number): number {
    const offset = this.#offset(field);
    if (offset === 0) throw new RangeError("a message lacks a field");
    const place = this.#place + offset;
    return place + this.#view.getUint32(place, true);
  }

  #offset(field: number): number {
    const slot = 4 + 2 * field;
    return slot + 2 > this.#bytes ? 0 : this.#view.getUint16(this.#fields + slot, true);
  }
}
