// BLAKE2b (RFC 7693) with a digest of 8 bytes, little-endian, in 32-bit halves: BigInt takes several times as long.

const IV = [
  0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a,
  0xade682d1, 0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19,
]; // low half, high half
const SIGMA = [
  "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
  "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
].map((row) => Array.from(row, (digit) => parseInt(digit, 16)));
const MIXES = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];

// v[a] += v[b] + m[c], numbers of two halves.
function plus(v, a, b, m, c) {
  const low = v[2 * a] + v[2 * b] + (m ? m[2 * c] : 0);
  v[2 * a + 1] += v[2 * b + 1] + (m ? m[2 * c + 1] : 0) + Math.floor(low / 2 ** 32);
  v[2 * a] = low;
}

// v[a] = (v[a] ^ v[b]) rotated right by some bits.
function turn(v, a, b, bits) {
  let low = v[2 * a] ^ v[2 * b];
  let high = v[2 * a + 1] ^ v[2 * b + 1];
  if (bits >= 32) [low, high] = [high, low];
  const rest = bits % 32;
  v[2 * a] = rest ? (low >>> rest) | (high << (32 - rest)) : low;
  v[2 * a + 1] = rest ? (high >>> rest) | (low << (32 - rest)) : high;
}

// UTF-8 in which a lone surrogate has its three bytes, as in Python's "surrogatepass".
function utf8(text) {
  const bytes = [];
  for (const character of text) {
    const point = character.codePointAt(0);
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
  return Uint8Array.from(bytes);
}

export function blake2b64(text) {
  const data = utf8(text);
  const h = Uint32Array.from(IV);
  h[0] ^= 0x01010008;
  for (let at = 0; at === 0 || at < data.length; at += 128) {
    const block = new Uint8Array(128);
    block.set(data.subarray(at, at + 128));
    const m = new Uint32Array(block.buffer);
    const v = Uint32Array.from([...h, ...IV]);
    v[24] ^= Math.min(at + 128, data.length);
    if (at + 128 >= data.length) {
      v[28] = ~v[28];
      v[29] = ~v[29];
    }
    for (let round = 0; round < 12; round++) {
      const order = SIGMA[round % 10];
      MIXES.forEach(([a, b, c, d], i) => {
        plus(v, a, b, m, order[2 * i]);
        turn(v, d, a, 32);
        plus(v, c, d);
        turn(v, b, c, 24);
        plus(v, a, b, m, order[2 * i + 1]);
        turn(v, d, a, 16);
        plus(v, c, d);
        turn(v, b, c, 63);
      });
    }
    for (let i = 0; i < 16; i++) h[i] ^= v[i] ^ v[i + 16];
  }
  return (BigInt(h[1]) << 32n) | BigInt(h[0]);
}
