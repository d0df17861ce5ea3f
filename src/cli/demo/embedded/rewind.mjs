// What takes an engine back to a moment: the whole of its memory, its files, and what it has open of them. That
// costs a tenth of a new engine, and leaves nothing of what was done since.

/** Every file and folder, by the table through which they are found. */
function* nodesOf(FS) {
  for (const first of FS.nameTable) for (let node = first; node; node = node.name_next) yield node;
}

/** A file as it is now. Every write sets its times to whole milliseconds: what keeps this one was not written to. */
function keep(FS, node) {
  const { name, parent, mode, mtime, link } = node;
  const kept = { node, as: { name, parent, mode, mtime, link } };
  if (FS.isDir(mode)) kept.children = { ...node.contents };
  if (FS.isFile(mode)) {
    node.ctime = Math.floor(node.ctime) - 0.5;
    Object.assign(kept, { ctime: node.ctime, contents: node.contents, size: node.usedBytes });
    kept.bytes = node.contents?.slice(0, kept.size);
  }
  return kept;
}

export class Moment {
  /** `stack` is the engine's own variable of where its stack ends. */
  constructor(mod, stack) {
    const { FS } = mod;
    this.mod = mod;
    this.stack = stack;
    this.files = Array.from(nodesOf(FS), (node) => keep(FS, node));
    this.streams = FS.streams.map((stream) => stream && { stream, own: { ...stream }, shared: { ...stream.shared } });
    this.cwd = FS.cwd();
    this.top = stack.value;
    this.memory = mod.HEAPU8.slice();
  }

  restore() {
    const { mod: { FS }, memory } = this;
    this.mod.HEAPU8.set(memory);
    this.mod.HEAPU8.fill(0, memory.length);
    this.stack.value = this.top;
    for (const kept of this.files) this.putBack(kept);
    FS.nameTable.fill(undefined);
    for (const { node } of this.files) FS.hashAddNode(node);
    FS.streams.length = this.streams.length;
    this.streams.forEach((open, at) => {
      if (open) {
        Object.assign(open.stream, open.own);
        Object.assign(open.stream.shared, open.shared);
      }
      FS.streams[at] = open?.stream ?? null;
    });
    FS.chdir(this.cwd);
  }

  putBack(kept) {
    const { node } = kept;
    Object.assign(node, kept.as);
    if (kept.children) node.contents = { ...kept.children };
    if (kept.size === undefined) return;
    if (node.ctime === kept.ctime && node.contents === kept.contents && node.usedBytes === kept.size) return;
    node.contents = kept.bytes?.slice() ?? null;
    node.usedBytes = kept.size;
    node.ctime = kept.ctime;
    kept.contents = node.contents;
  }
}
