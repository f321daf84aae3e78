// Opens a slim bundle and selects demonstrations: the choices of skillshot.Selector, without Python.
//
//   const selector = await Selector.load("bundle/");
//   selector.select("How many?", { k: 4 });

import { array, BundleError, fetched, lines, parsed, unpacked } from "./files.js";
import { Network, QUERY, View } from "./query.js";
import { canonical } from "./text.js";

const FORMAT = 5;
const ROW = 2 ** -8; // unit of a bank row's coordinates
const CANDIDATES = 64; // rows that are considered, best scores first
const HEDGE = 0.5; // weight of the expected best similarity against the mean score
const RARE = 0.02; // share of the bank's questions whose nearest neighbour is further away: below it confidence fades
const AGREEMENT = 0.3;
const FLATTER = 3;
const LONGEST = 100_000; // characters of a question
const BLOCKS = ["structure", "latent", "sentence", "words"];
const VIEW = "model/question_view";

export class Selector {
  // source: address of the bundle's folder, or a function (name) => bytes. progress: called with a share from 0 to 1.
  static async load(source, progress = () => {}) {
    const files = typeof source === "function" ? source : (name) => fetched(new URL(name, new URL(source, location.href)));
    const manifest = parsed(await files("manifest.json"), "manifest.json");
    if (manifest.format !== FORMAT) throw new BundleError(`This bundle has format ${manifest.format}; this page reads ${FORMAT}.`);
    if (!("model/lite.json.gz" in manifest.files)) {
      throw new BundleError("This is no slim bundle. Make one: skillshot slim BUNDLE --out SLIM");
    }
    const bank = manifest.bank;
    const wanted = ["model/lite.json", "bank.jsonl", "skillshot.npy"].map((name) => (name.includes("/") ? name : `${bank}/${name}`));
    wanted.push(...["lexical.json", "keys.npy", "weights.npy", "slots.npy", "projection.npy"].map((name) => `${VIEW}/${name}`));
    const total = wanted.reduce((sum, name) => sum + (manifest.files[`${name}.gz`]?.bytes ?? 0), 0);
    const parts = {};
    let done = 0;
    for (const name of wanted) {
      const entry = manifest.files[`${name}.gz`];
      if (!entry) throw new BundleError(`${name}.gz is not in the manifest; make the slim bundle again.`);
      parts[name.split("/").pop()] = await unpacked(await files(`${name}.gz`), `${name}.gz`, entry);
      progress((done += entry.bytes) / total);
    }
    return new Selector(manifest, parts);
  }

  constructor(manifest, parts) {
    this.manifest = manifest;
    const { widths, lite } = manifest.score;
    this.shares = lite.shares;
    this.doubt = lite.doubt;
    this.curve = lite.confidence;
    let end = 0;
    this.blocks = widths.map((width) => [end, (end += width)]);
    this.width = end;
    this.rows = array(parts["skillshot.npy"], "skillshot.npy", "|i1", this.width);
    this.count = manifest.data.records;
    if (this.rows.length !== this.count * this.width) throw new BundleError("skillshot.npy has another number of rows than the manifest.");
    this.lines = lines(parts["bank.jsonl"]);
    if (this.lines.length !== this.count) throw new BundleError("bank.jsonl has another number of lines than the manifest.");
    this.records = new Array(this.count);
    this.keys = new Map();
    this.view = new View(parts);
    this.network = new Network(parsed(parts["lite.json"], "lite.json"), widths, lite.shares);
    this.groups = groups(this.blocks, this.shares);
  }

  // The demonstration at a row, as an object with the fields of the bank.
  record(row) {
    return (this.records[row] ??= JSON.parse(this.lines[row]));
  }

  // The k demonstrations for a question, best first, each with `score`, `confidence` and `parts` of the score.
  // exclude: ids that must not be chosen. where: field -> value that a demonstration must have.
  select(question, { k = this.manifest.select.k ?? 4, exclude = [], where = {} } = {}) {
    const asked = canonical(question);
    if (!asked) throw new RangeError("The question is blank.");
    const length = Array.from(question).length;
    if (length > LONGEST) throw new RangeError(`The question has ${length} characters; at most ${LONGEST} are read.`);
    const query = this.network.run(this.view.transform(question));
    const allowed = this.allowed(where);
    const scores = this.scores(query);
    const excluded = new Set(exclude);
    for (let width = Math.max(CANDIDATES, k) + 1 + excluded.size; ; width *= 4) {
      const found = best(scores, width, allowed);
      const fit = found.filter((row) => this.key(row) !== asked && !excluded.has(this.record(row).id));
      const chosen = new Map(); // by question and context, however written
      for (const place of this.hedged(fit, scores, k)) {
        const key = JSON.stringify([this.key(fit[place]), canonical(this.record(fit[place]).context ?? "")]);
        if (!chosen.has(key)) chosen.set(key, place);
        if (chosen.size === k) break;
      }
      if (chosen.size === k || found.length < width) {
        const places = [...chosen.values()].sort((one, other) => one - other);
        const sure = this.confidence(query, places.map((place) => fit[place]), fit.slice(0, CANDIDATES));
        return places.map((place, i) => this.demonstration(fit[place], query, scores, sure[i]));
      }
    }
  }

  demonstration(row, query, scores, confidence) {
    const parts = {};
    this.blocks.forEach(([start, end], block) => {
      if (end > start) parts[BLOCKS[block]] = this.dot(query, row, start, end);
    });
    return { ...this.record(row), score: scores[row] * ROW * QUERY, confidence, parts };
  }

  key(row) {
    if (!this.keys.has(row)) this.keys.set(row, canonical(this.record(row).question));
    return this.keys.get(row);
  }

  allowed(where) {
    const conditions = Object.entries(where).map(([field, value]) => [field, JSON.stringify(value)]);
    if (!conditions.length) return null;
    const has = (row) => conditions.every(([field, value]) => JSON.stringify(this.record(row)[field]) === value);
    return Array.from({ length: this.count }, (_, row) => has(row));
  }

  // Whole numbers, so that no order of summation changes them.
  scores(query) {
    const { rows, width, count } = this;
    const scores = new Int32Array(count);
    const numbers = Float64Array.from(query);
    for (let row = 0, at = 0; row < count; row++) {
      let even = 0; // two sums, so that the processor need not wait for one
      let odd = 0;
      let i = 0;
      for (; i + 1 < width; i += 2, at += 2) {
        even += numbers[i] * rows[at];
        odd += numbers[i + 1] * rows[at + 1];
      }
      if (i < width) even += numbers[i] * rows[at++];
      scores[row] = even + odd;
    }
    return scores;
  }

  dot(query, row, start, end) {
    let sum = 0;
    for (let i = start, at = row * this.width; i < end; i++) sum += query[i] * this.rows[at + i];
    return sum * ROW * QUERY;
  }

  // Sum over parts of a row of weight x product, for two rows of the bank.
  similarity(one, other, parts) {
    const { rows, width } = this;
    let total = 0;
    for (const [start, end, weight] of parts) {
      let sum = 0;
      for (let a = one * width + start, b = other * width + start, last = one * width + end; a < last; a++, b++) {
        sum = (sum + Math.imul(rows[a], rows[b])) | 0;
      }
      total += weight * (sum * ROW * ROW);
    }
    return total;
  }

  // Places of rows in order of choice: first those of a set of k, which is right also where the prediction is not.
  *hedged(rows, scores, k) {
    const count = Math.min(rows.length, CANDIDATES);
    const taken = [];
    if (k > 1 && count > k) {
      const values = rows.slice(0, count).map((row) => scores[row] * ROW * QUERY);
      const similar = new Float64Array(count * count);
      for (let i = 0; i < count; i++) {
        for (let j = i; j < count; j++) {
          similar[i * count + j] = similar[j * count + i] = Math.max(this.similarity(rows[i], rows[j], this.groups), 0);
        }
      }
      const likely = values.map((value) => Math.exp((value - values[0]) / this.doubt));
      const sum = likely.reduce((one, other) => one + other, 0);
      const covered = new Float64Array(count);
      for (let turn = 0; turn < k; turn++) {
        const gain = new Float64Array(count);
        for (let i = 0; i < count; i++) {
          const weight = likely[i] / sum;
          for (let j = 0; j < count; j++) gain[j] += weight * Math.max(similar[i * count + j], covered[i]);
        }
        let place = -1;
        for (let j = 0; j < count; j++) {
          gain[j] = ((1 - HEDGE) / k) * values[j] + HEDGE * gain[j];
          if (!taken.includes(j) && (place < 0 || gain[j] > gain[place])) place = j;
        }
        taken.push(place);
        for (let i = 0; i < count; i++) covered[i] = Math.max(covered[i], similar[i * count + place]);
        yield place;
      }
    }
    for (let place = 0; place < rows.length; place++) if (!taken.includes(place)) yield place;
  }

  // Probability that each row is of the question's procedure; see skillshot.runtime.scoring.
  confidence(query, rows, near) {
    if (!rows.length) return [];
    const skill = this.shares[0] > 0 ? 1 + this.shares[1] / this.shares[0] : 0;
    const known = (row) =>
      skill * this.dot(query, row, ...this.blocks[0]) + this.dot(query, row, this.blocks[1][1], this.width);
    const scores = near.map(known);
    const first = Math.max(...scores);
    const likely = scores.map((score) => Math.exp((score - first) / (FLATTER * this.doubt)));
    const sum = likely.reduce((one, other) => one + other, 0);
    const fades = Math.min(1, this.placed(query, near) / RARE);
    return rows.map((row) => {
      const agreement = near.reduce(
        (total, other, i) => total + (this.similarity(row, other, [[...this.blocks[0], 4]]) * likely[i]) / sum,
        0,
      );
      const evidence = known(row) + AGREEMENT * agreement;
      return ((1 + Math.tanh((this.curve.offset + this.curve.slope * evidence) / 2)) / 2) * fades;
    });
  }

  // Share of the bank's own questions whose nearest neighbour is no nearer than the question's.
  placed(query, rows) {
    const block = this.blocks[2][1] > this.blocks[2][0] ? 2 : 3;
    const { near } = this.curve;
    if (!rows.length || !(this.shares[block] > 0) || !near.length) return 1;
    const value = Math.max(...rows.map((row) => this.dot(query, row, ...this.blocks[block]))) / this.shares[block];
    const middle = (near[(near.length - 1) >> 1] + near[near.length >> 1]) / 2;
    const xs = [near[0] - (middle - near[0]) / 2, ...near];
    const ys = [0, ...near.map((_, i) => (near.length > 1 ? 0.01 + (0.99 * i) / (near.length - 1) : 0.01))];
    if (value <= xs[0]) return ys[0];
    const i = xs.findLastIndex((x) => x <= value);
    if (i === xs.length - 1) return ys[i];
    return ys[i] + ((ys[i + 1] - ys[i]) * (value - xs[i])) / (xs[i + 1] - xs[i]);
  }
}

// Coordinates of equal weight that follow each other, with that weight; blocks without a share are left out.
function groups(blocks, shares) {
  const found = [];
  blocks.forEach(([start, end], block) => {
    const weight = Math.fround(shares[block]) * 4;
    if (end === start) return;
    const before = found.at(-1);
    if (before && before[2] === weight) before[1] = end;
    else found.push([start, end, weight]);
  });
  return found.filter(([, , weight]) => weight > 0);
}

// Rows of the highest scores, best first; of equal ones the lower row. Only rows in the highest bins are sorted.
function best(scores, count, allowed) {
  const bin = (score) => (score >> 10) + 4096; // a score is between -2^22 and 2^22
  const sizes = new Int32Array(8192);
  for (let row = 0; row < scores.length; row++) if (!allowed || allowed[row]) sizes[bin(scores[row])]++;
  let edge = sizes.length;
  for (let held = 0; held < count && edge > 0; ) held += sizes[--edge];
  const rows = [];
  for (let row = 0; row < scores.length; row++) {
    if (bin(scores[row]) >= edge && (!allowed || allowed[row])) rows.push(row);
  }
  return rows.sort((one, other) => scores[other] - scores[one] || one - other).slice(0, count);
}
