// Files of a slim bundle: fetched, checked, unpacked, read.

export class BundleError extends Error {}

export async function fetched(address) {
  let answer;
  try {
    answer = await fetch(address);
  } catch {
    throw new BundleError(`${address.pathname} cannot be reached. Serve the folder over HTTP: python -m http.server`);
  }
  if (!answer.ok) {
    const fix = answer.status === 404 ? " Put a slim bundle there: skillshot slim BUNDLE --out SLIM" : "";
    throw new BundleError(`${address.pathname}: the server answers ${answer.status}.${fix}`);
  }
  return new Uint8Array(await answer.arrayBuffer());
}

// Content of a compressed file. A server may have unpacked it on the way; then only the content is there.
export async function unpacked(bytes, name, entry) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  if (bytes.length !== entry.bytes) throw new BundleError(`${name}: ${bytes.length} bytes instead of ${entry.bytes}; copy the bundle again.`);
  if (globalThis.crypto?.subtle) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (found !== entry.sha256) throw new BundleError(`${name}: its sha256 differs from the manifest's; copy the bundle again.`);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export function parsed(bytes, name) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new BundleError(`${name} is not JSON: ${error.message}`);
  }
}

// Rows of JSON lines; a line end inside a text is escaped there.
export function lines(bytes) {
  return new TextDecoder().decode(bytes).split("\n").slice(0, -1);
}

const KINDS = { "|i1": Int8Array, "|u1": Uint8Array, "<u8": BigUint64Array, "<f4": Float32Array };

// Values of a .npy file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), row by row.
export function array(bytes, name, kind, columns) {
  const start = 10 + bytes[8] + 256 * bytes[9];
  const header = new TextDecoder().decode(bytes.subarray(10, start));
  const found = /'descr': '([^']+)', 'fortran_order': False, 'shape': \((\d+), ?(\d*)\)/.exec(header);
  const width = found && found[3] ? Number(found[3]) : undefined;
  if (!found || found[1] !== kind || width !== columns) throw new BundleError(`${name}: not the array that is expected.`);
  return new KINDS[kind](bytes.slice(start).buffer);
}
