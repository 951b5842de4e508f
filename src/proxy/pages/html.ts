/** Markup that is safe to send: made by the `html` tag only, which escapes everything else that is put into it. */
export class Html {
  readonly #markup: string;
  private constructor(markup: string) {
    this.#markup = markup;
  }
  /** For markup that is written down in the source, never for a value. */
  static literal(markup: string): Html {
    return new Html(markup);
  }
  toString(): string {
    return this.#markup;
  }
}

type Part = Html | string | number | undefined | readonly Html[];

/**
 * ``html`<p>${anything}</p>` ``: text is escaped for element content and quoted attributes alike (A095), `Html` goes in
 * as it is, a list of `Html` is joined, undefined is nothing. Attributes have to be quoted in the template.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let markup = strings[0] ?? '';
  parts.forEach((part, index) => {
    markup += markupOf(part) + (strings[index + 1] ?? '');
  });
  return Html.literal(markup);
}

function markupOf(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return part instanceof Html ? part.toString() : part.join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// C0 and C1 controls are no HTML text; bidirectional overrides would let a value rewrite how the text around it reads.
const UNPRINTABLE = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text for element content and quoted attributes; what can't be shown becomes U+FFFD. */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replace(UNPRINTABLE, '\ufffd')
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '');
}
