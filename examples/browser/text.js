// Texts as skillshot reads them: canonical form, tokens and 64-bit codes of n-grams.
// The same rules as skillshot.common.text, skillshot.features.scripts, tokens, channels and grams.

import { blake2b64 } from "./hash.js";
import { COMBINING, FOLDED, IMAGES, INVISIBLE, KINDS } from "./unicode.js";

const MOST = 6; // occurrences of a gram in one text that are counted
const LONG = 8; // letters of the longest word in a script without case
const MARKS = 30; // combining marks in a row; more are no writing
const FEWEST = 4; // words that a first line needs to count as a question on its own
const SYLLABLES = 2; // letters of such a word in a script without blanks
const ENDINGS = ["ing", "ed", "ly", "es", "er", "s"];
const UNKNOWN = "  ";

// ---- characters

const TABLE = new Uint8Array(0x110000);
{
  let at = 0;
  for (const run of KINDS.split(",")) {
    if (!run) continue;
    const length = parseInt(run.slice(1), 36);
    TABLE.fill(run.charCodeAt(0), at, at + length);
    at += length;
  }
}
const BLANK = 32; // turns a capital into a small letter

const points = (text) => Array.from(text); // by code point; a lone surrogate stays one
const isLetter = (character) => TABLE[character.codePointAt(0)] < 96;
const isDigit = (character) => ["d", "q"].includes(String.fromCharCode(TABLE[character.codePointAt(0)] | BLANK));
const kindsOf = (characters) => {
  let kinds = "";
  for (const character of characters) {
    const kind = String.fromCharCode(TABLE[character.codePointAt(0)] | BLANK);
    kinds += kind === "q" ? "l" : kind;
  }
  return kinds;
};
const isAscii = (text) => /^[\0-\x7f]*$/.test(text);
const within = (ranges) => (character) => {
  const point = character.codePointAt(0);
  return ranges.some(([first, last]) => first <= point && point <= last);
};
const isCombining = within(COMBINING);
const isInvisible = within(INVISIBLE);

// Words of a text, parted by the blanks of Python's str.split.
function words(text) {
  const characters = points(text);
  const kinds = kindsOf(characters);
  return Array.from(kinds.matchAll(/[^ns]+/g), (found) => characters.slice(found.index, found.index + found[0].length).join(""));
}

// ---- canonical form

const withoutInvisible = (text) => points(text).filter((character) => !isInvisible(character)).join("");

function normalised(text) {
  if (text === text.normalize("NFKC")) return text;
  const parts = [];
  let run = 0;
  for (const character of text) {
    run = isCombining(character) ? run + 1 : 0;
    if (run > MARKS) {
      parts.push("\u034f");
      run = 1;
    }
    parts.push(character);
  }
  return parts.join("").normalize("NFKC");
}

function bare(text) {
  text = withoutInvisible(text);
  if (isAscii(text)) return text;
  return normalised(withoutInvisible(normalised(text.replaceAll("\u2800", " "))));
}

function folded(text) {
  text = bare(text);
  const foreign = /[\u0370-\u03ff\u0400-\u052f]/;
  if (!foreign.test(text) || !/[A-Za-z\u00c0-\u024f\u1e00-\u1eff]/.test(text)) return text;
  const characters = points(text);
  const parts = [];
  let end = 0;
  for (const found of kindsOf(characters).matchAll(/[lhbwz]+/g)) {
    const word = characters.slice(found.index, found.index + found[0].length);
    const image = word.map((character) => IMAGES[character] ?? character).join("");
    parts.push(...characters.slice(end, found.index), foreign.test(image) ? word.join("") : image);
    end = found.index + found[0].length;
  }
  return normalised([...parts, ...characters.slice(end)].join(""));
}

const caseless = (text) => points(text).map((character) => FOLDED[character] ?? character.toLowerCase()).join("");

// The form in which questions are compared; equal forms are one question.
export function canonical(text) {
  if (isAscii(text)) return words(caseless(withoutInvisible(text))).join(" ");
  return words(folded(caseless(folded(text)))).join(" ");
}

// ---- tokens

const SPECIAL = /[wzbmfi]/;
const NUMBER = "(?:d|z(?=[dz]))[dz]*(?:cd[dz]*)*";
const PLAIN_TOKEN = /n|d+(?:cd+)*|[lh]+(?:a[lh]+)*|[pca]/g;
const TOKEN = new RegExp(`n|${NUMBER}|[lhb][lhbm]*(?:a[lhb][lhbm]*)*|[wz]m*|[^s]`, "g");
const LETTER = new RegExp(`n|${NUMBER}|s+|[lhbwz]m*|.`, "g");
const NAMES = { n: "<br>", d: "0", s: "~" };

const special = (text) => !isAscii(text) && SPECIAL.test(kindsOf(text));

function plain(text) {
  return special(text) ? bare(text).toLowerCase().replaceAll("i\u0307", "i") : text;
}

// Kinds and characters of each match; the kinds of a number begin with d.
function* matches(pattern, text) {
  const characters = points(text);
  for (const found of kindsOf(characters).matchAll(pattern)) {
    const kinds = found[0];
    const numeral = kinds[0] === "z" && kinds.length > 1 && /^[zdc]*$/.test(kinds);
    yield [numeral ? `d${kinds}` : kinds, characters.slice(found.index, found.index + kinds.length)];
  }
}

function clusters(characters) {
  return Array.from(kindsOf(characters).matchAll(/[^m]m*|m+/g), (found) =>
    characters.slice(found.index, found.index + found[0].length).join(""),
  );
}

// Lower-case tokens with numbers masked, framed by begin and end marks.
export function tokenise(text) {
  text = text.toLowerCase();
  const tokens = ["<s>"];
  if (special(text)) {
    for (const [kinds, characters] of matches(TOKEN, plain(text))) {
      const many = "hb".includes(kinds[0]) && kinds.length > LONG ? clusters(characters) : [];
      if (many.length > LONG) tokens.push(...many);
      else tokens.push(NAMES[kinds[0]] ?? characters.join(""));
    }
  } else {
    const characters = points(text);
    const kinds = kindsOf(characters.map((character) => (character === "٫" || character === "٬" ? "-" : character)));
    for (const found of kinds.matchAll(PLAIN_TOKEN)) {
      const first = characters[found.index];
      const token = characters.slice(found.index, found.index + found[0].length).join("");
      tokens.push(first === "\n" ? "<br>" : isDigit(first) ? "0" : token);
    }
  }
  tokens.push("</s>");
  return tokens;
}

// The same with words letter by letter.
function letters(text) {
  const tokens = ["<s>"];
  for (const [kinds, characters] of matches(LETTER, plain(text.toLowerCase()))) {
    tokens.push("lhbwz".includes(kinds[0]) ? `${characters.join("")}~` : (NAMES[kinds[0]] ?? characters.join("")));
  }
  tokens.push("</s>");
  return tokens;
}

function shape(word) {
  const ending = points(word).length > 4 && ENDINGS.find((one) => word.endsWith(one));
  return ending ? `_${ending}` : "_";
}
const SHAPES = new Set(["_", ...ENDINGS.map((ending) => `_${ending}`)]);

// Tokens of the part of a text that a channel reads.
function read(text, part) {
  if (part === "letters") return letters(text);
  if (part === "all") return tokenise(text);
  let head = text.split("\n", 1)[0];
  if (words(head).length < FEWEST && !(special(head) && tokenise(head).length > FEWEST * SYLLABLES)) head = text;
  if (part === "rest") return tokenise(text.slice(head.length + 1));
  return part === "head letters" ? letters(head) : tokenise(head);
}

// ---- codes of n-grams

const ODD = 0x9e3779b97f4a7c15n;
const AGAIN = 0xd1342543de82ef95n;
const wrap = (value) => BigInt.asUintN(64, value);

function salted(code, channel) {
  let x = wrap(code + wrap(BigInt(channel + 1) * ODD));
  x = wrap((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n);
  x = wrap((x ^ (x >> 27n)) * 0x94d049bb133111ebn);
  return x ^ (x >> 31n);
}

export class GramReader {
  // shares: word -> share of the bank's texts that have it. vocabulary: words that keep their own code.
  constructor(channels, shares, vocabulary) {
    this.channels = channels;
    this.shares = shares;
    this.vocabulary = new Set(vocabulary);
    this.codes = channels.map(() => new Map());
    this.parts = new Map();
    channels.forEach((channel, i) => this.parts.set(channel.part, [...(this.parts.get(channel.part) ?? []), i]));
  }

  // Codes of the distinct grams of a text, in the order of the codes of their first occurrences.
  read(text) {
    const found = [];
    for (const [part, members] of this.parts) {
      const tokens = read(text, part);
      if (tokens.length < 3) continue; // only the begin and end marks
      for (const i of members) {
        const single = tokens.map((token) => this.code(token, i));
        found.push(...single);
        let runs = single;
        for (let n = 2; n <= Math.min(this.channels[i].longest, tokens.length); n++) {
          const longer = new Array(tokens.length - n + 1);
          for (let at = 0; at < longer.length; at++) longer[at] = wrap(runs[at] * ODD + single[at + n - 1]);
          found.push(...longer);
          runs = longer;
        }
      }
    }
    const codes = BigUint64Array.from(found).sort();
    const kept = [];
    let times = 0;
    for (let at = 0; at < codes.length; at++) {
      times = at && codes[at] === codes[at - 1] ? times + 1 : 0;
      if (times < MOST) kept.push(wrap(codes[at] + BigInt(times) * AGAIN));
    }
    return BigUint64Array.from(kept);
  }

  code(token, channel) {
    const known = this.codes[channel];
    if (!known.has(token)) known.set(token, salted(blake2b64(this.name(token, this.channels[channel].least)), channel));
    return known.get(token);
  }

  // The text whose hash stands for a token: its own, or its shape where it is masked or unknown.
  name(token, least) {
    if (this.vocabulary.has(token)) {
      return !least || !isLetter(points(token)[0]) || (this.shares.get(token) ?? 0) >= least ? token : shape(token);
    }
    const form = isLetter(points(token)[0]) ? shape(token) : token;
    return least && SHAPES.has(form) ? form : UNKNOWN;
  }
}
