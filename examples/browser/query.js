// From a question to the query that is multiplied with the rows of the bank; the same numbers as in Python.

import { array, parsed } from "./files.js";
import { GramReader } from "./text.js";

export const QUERY = 2 ** -12; // unit of a query's coordinates
const TINY = 1e-30;

// Lexical features of a question: known n-grams, weighted, times a projection of 8-bit numbers.
export class View {
  constructor(parts) {
    const about = parsed(parts["lexical.json"], "lexical.json");
    this.channels = about.channels;
    this.scale = about.scale;
    this.reader = new GramReader(about.channels, new Map(Object.entries(about.shares)), about.vocabulary);
    this.halves = new Uint32Array(array(parts["keys.npy"], "keys.npy", "<u8").buffer); // of 64-bit codes, the low one first
    this.weights = array(parts["weights.npy"], "weights.npy", "<f4");
    this.channel = array(parts["slots.npy"], "slots.npy", "|u1");
    this.projection = array(parts["projection.npy"], "projection.npy", "|i1", this.scale.length);
    this.buckets = about.buckets;
    this.carry = 2 ** 32 % this.buckets;
  }

  transform(text) {
    const { halves, weights, channel, projection, buckets, carry } = this;
    const places = [];
    const squares = new Float64Array(this.channels.length);
    const codes = new Uint32Array(this.reader.read(text).buffer);
    for (let at = 0; at < codes.length; at += 2) {
      const place = this.place(codes[at], codes[at + 1]);
      if (place < 0) continue;
      places.push(place);
      squares[channel[place]] += Math.fround(weights[place] * weights[place]);
    }
    const lengths = this.channels.map((channel, i) => (squares[i] > 0 ? channel.weight : 0));
    const all = lengths.reduce((sum, length) => sum + length * length, 0);
    const scale = lengths.map((length, i) => Math.fround(length / Math.sqrt(Math.max(squares[i], TINY) * Math.max(all, TINY))));
    const width = this.scale.length;
    const sums = new Float64Array(width);
    for (const place of places) {
      const value = Math.fround(weights[place] * scale[channel[place]]);
      const bucket = ((halves[2 * place + 1] % buckets) * carry + halves[2 * place]) % buckets;
      for (let i = 0, at = bucket * width; i < width; i++) sums[i] += value * projection[at + i];
    }
    return sums.map((sum, i) => Math.fround(sum * this.scale[i]));
  }

  // Place of a code, by its halves, in the sorted table; -1 where it is not there.
  place(low, high) {
    const { halves } = this;
    let first = 0;
    let last = halves.length / 2 - 1;
    while (first <= last) {
      const middle = (first + last) >> 1;
      const difference = halves[2 * middle + 1] - high || halves[2 * middle] - low;
      if (!difference) return middle;
      if (difference < 0) first = middle + 1;
      else last = middle - 1;
    }
    return -1;
  }
}

// Features to the query, whole multiples of QUERY.
export class Network {
  constructor(about, widths, shares) {
    this.about = about;
    this.widths = widths;
    this.shares = shares;
    this.layers = (about.latent?.layers ?? []).map(({ weight, scale, bias }) => {
      const whole = Int8Array.from(atob(weight), (character) => character.charCodeAt(0));
      return { weight: whole, scale, bias };
    });
  }

  run(features) {
    const [structureWidth, , sentenceWidth, wordsWidth] = this.widths;
    const { about, shares } = this;
    const words = plus(features.slice(0, wordsWidth), about.words);
    const structure = plus(features.slice(wordsWidth, wordsWidth + structureWidth), about.structure);
    const sentence = plus(features.slice(features.length - sentenceWidth), about.sentence);
    const certain = over(structure, Math.max(length(structure), 1));
    const query = [...times(certain, 2 * shares[0])];
    if (about.latent) {
      const latent = this.latent(structure);
      query.push(...times(over(latent, Math.max(length(latent), 1e-12)), length(certain)).map((value) => value * (2 * shares[1])));
    }
    if (sentenceWidth) query.push(...times(over(sentence, Math.max(length(sentence), 1)), 2 * shares[2]));
    query.push(...times(over(words, Math.max(length(words), 1e-12)), 2 * shares[3]));
    return Int32Array.from(query, (value) => rounded(value / QUERY));
  }

  latent(structure) {
    const { centre, scale, leak } = this.about.latent;
    let rows = structure.map((value, i) => (value - centre[i]) / scale[i]);
    this.layers.forEach((layer, number) => {
      if (number) rows = rows.map((value) => (value < 0 ? value * leak : value));
      const width = layer.bias.length;
      const sums = new Float64Array(width);
      rows.forEach((value, i) => {
        for (let j = 0, at = i * width; j < width; j++) sums[j] += value * layer.weight[at + j];
      });
      rows = sums.map((sum, j) => sum * layer.scale[j] + layer.bias[j]);
    });
    return rows;
  }
}

const plus = (row, other) => row.map((value, i) => value + other[i]);
const times = (row, number) => row.map((value) => value * number);
const over = (row, number) => row.map((value) => value / number);
const length = (row) => Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));

// To the nearest whole number, halves to the even one.
function rounded(value) {
  const whole = Math.round(value);
  return whole - value === 0.5 && whole % 2 ? whole - 1 : whole;
}
