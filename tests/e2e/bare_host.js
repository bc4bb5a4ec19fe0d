/**
 * The least that may host an anywidget: models with what its specification lists, and a way to
 * reach one model from another. What a widget asks for beyond that is kept in `host.asked`.
 */
globalThis.host = (() => {
  const LISTED = ["get", "set", "on", "off", "send", "save_changes", "widget_manager"];
  const models = new Map();
  const asked = new Set();
  const sent = [];

  class Model {
    #state;
    #listeners = new Map();

    constructor(state) {
      this.#state = state;
    }

    get = (name) => this.#state[name];
    set = (name, value) => this.update({ [name]: value });
    save_changes = () => undefined;
    send = (content) => sent.push(content);
    off = (event, listener) => this.#listeners.get(event)?.delete(listener);
    on = (event, listener) => {
      if (!/^(change(:\w+)?|msg:custom)$/.test(event)) asked.add(`event ${event}`);
      if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
      this.#listeners.get(event).add(listener);
    };
    widget_manager = { get_model: async (id) => models.get(id) ?? Promise.reject(Error(`no ${id}`)) };

    update(state) {
      Object.assign(this.#state, state);
      for (const name of Object.keys(state)) this.#tell(`change:${name}`);
    }

    tell(content, buffers) {
      this.#tell("msg:custom", content, buffers);
    }

    #tell(event, ...told) {
      for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...told);
    }
  }

  /** What a widget gets: a property that is not listed is not there. */
  const shown = (model) =>
    new Proxy(model, {
      get(target, name) {
        if (LISTED.includes(name)) return target[name];
        // Whoever awaits a value looks for this one.
        if (typeof name === "string" && name !== "then") asked.add(name);
        return undefined;
      },
    });

  /** Hosts hand out the bytes of a message in one of these. */
  const FORMS = {
    DataView: (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    Uint8Array: (bytes) => bytes,
    ArrayBuffer: (bytes) => bytes.slice().buffer,
  };
  let form = FORMS.DataView;
  const kernels = new Map();

  /** A comm message of the kernel, with its buffers as base64. */
  function hear({ type, id, data, buffers }) {
    const parts = buffers.map((text) => form(Uint8Array.from(atob(text), (c) => c.charCodeAt(0))));
    const state = { ...data.state };
    (data.buffer_paths ?? []).forEach(([name], i) => {
      state[name] = parts[i];
    });
    if (type === "comm_open") {
      kernels.set(id, new Model(state));
      models.set(id, shown(kernels.get(id)));
    } else if (data.method === "custom") kernels.get(id)?.tell(data.content, parts);
    else kernels.get(id)?.update(state);
  }

  async function show(id, el) {
    const model = models.get(id);
    const url = URL.createObjectURL(new Blob([model.get("_esm")], { type: "text/javascript" }));
    const { default: widget } = await import(url);
    await widget.initialize?.({ model });
    await widget.render({ model, el });
  }

  return {
    hear,
    show,
    asked: () => [...asked],
    sent: () => sent,
    as: (name) => {
      form = FORMS[name];
    },
  };
})();
