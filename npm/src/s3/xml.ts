// As much of XML as S3's answers are made of: elements, text and entities. Whatever else there is in
// XML is refused, but for a declaration, comments and attributes, which are passed over.

/** An element. */
export interface Element {
  readonly name: string;
  readonly children: readonly Element[];
  /** Its text, where it has no children. */
  readonly text: string;
}

const DEPTH_MAX = 16;
/** A tag, a comment, or text: the parts that a document falls into. */
const PARTS = /<!--[^]*?-->|<\?[^]*?\?>|<(\/?)([\w:.-]+)((?:\s[^<>]*?)?)(\/?)>|([^<]+)/gy;

/** The root element of a document; throws where it is none. */
export function parseXml(document: string): Element {
  const root: Building = { name: "", children: [], text: "" };
  const open: Building[] = [root];
  let at = document.startsWith("\ufeff") ? 1 : 0;
  while (at < document.length) {
    PARTS.lastIndex = at;
    const part = PARTS.exec(document);
    if (part === null) throw new SyntaxError(`no XML at character ${at}`);
    at = PARTS.lastIndex;
    const [, closes, name, , isEmpty, text] = part;
    if (text !== undefined) addText(open, text);
    else if (name !== undefined) addTag(open, name, closes === "/", isEmpty === "/");
  }
  const [element, ...more] = root.children;
  if (open.length !== 1 || element === undefined || more.length > 0) {
    throw new SyntaxError("XML that does not end where its first element does");
  }
  return element;
}

interface Building {
  readonly name: string;
  readonly children: Building[];
  text: string;
}

function addText(open: readonly Building[], text: string): void {
  const element = open.at(-1);
  if (element === undefined) return;
  const decoded = decodeEntities(text);
  if (open.length === 1 && decoded.trim() !== "") throw new SyntaxError("text outside of XML");
  element.text += decoded;
}

function addTag(open: Building[], name: string, closes: boolean, isEmpty: boolean): void {
  if (closes) {
    const closed = open.pop();
    if (closed?.name !== name || open.length === 0 || isEmpty) {
      throw new SyntaxError(`XML that closes ${name} where it is not open`);
    }
    return;
  }
  const element: Building = { name, children: [], text: "" };
  open.at(-1)?.children.push(element);
  if (!isEmpty) open.push(element);
  if (open.length > DEPTH_MAX) throw new SyntaxError("XML that is too deep");
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  apos: "'",
  gt: ">",
  lt: "<",
  quot: '"',
};

function decodeEntities(text: string): string {
  return text.replace(/&([^;&]*);?/g, (whole, name: string) => {
    const known = whole.endsWith(";") ? (ENTITIES[name] ?? character(name)) : undefined;
    if (known === undefined) throw new SyntaxError(`XML with the entity ${whole}`);
    return known;
  });
}

function character(name: string): string | undefined {
  const digits = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

/** The text of an element's only child of that name. */
export function childText(element: Element, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}
