// A cluster's files as an image in memory, which one engine leaves to others.

/** A cluster's files in memory, as another engine left them. */
export class ImageFs {
  constructor(image) {
    this.image = image;
  }

  async init(db, emscriptenOpts) {
    this.db = db;
    return { emscriptenOpts };
  }

  async initialSyncFs() {
    const { FS } = this.db.Module;
    for (const { name, mode, folder, at, size } of this.image.entries) {
      if (folder) FS.mkdirTree(name);
      else FS.writeFile(name, this.image.data.slice(at, at + size), { canOwn: true });
      FS.chmod(name, mode & 0o7777);
    }
    this.image = undefined;
  }

  async syncToFs() {}

  async closeFs() {}
}

/** Copies a cluster's files into memory that every thread can read. */
export function takeImage(FS, cluster) {
  const entries = [];
  const contents = [];
  let size = 0;
  const walk = (name) => {
    const { mode } = FS.stat(name);
    if (FS.isDir(mode)) {
      entries.push({ name, mode, folder: true });
      for (const child of FS.readdir(name)) if (child !== '.' && child !== '..') walk(`${name}/${child}`);
    } else {
      const bytes = FS.readFile(name);
      entries.push({ name, mode, at: size, size: bytes.length });
      contents.push(bytes);
      size += bytes.length;
    }
  };
  walk(cluster);
  const data = new Uint8Array(new SharedArrayBuffer(size));
  let at = 0;
  for (const bytes of contents) {
    data.set(bytes, at);
    at += bytes.length;
  }
  return { entries, data };
}
