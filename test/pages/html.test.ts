import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml, Html, html } from '../../src/proxy/pages/html.ts';

/** UTF-16 code units of any kind, often those that mean something in HTML or can't be shown. */
const HOSTILE = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'<>&"\'`=/\\\u0000\u007f\u202e\ud800\n'),
    fc.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit)),
  ),
});

describe('html', () => {
  it('A095 escapes every value, in content and in attributes', () => {
    const hostile = `"><script>alert('1')</script>&amp;`;
    expect(html`<p title="${hostile}">${hostile}</p>`.toString()).toBe(
      '<p title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;">&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;</p>',
    );
  });

  it('lets markup in that it made itself, one or a list, and nothing for undefined', () => {
    const items = ['a<', 'b'].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${items}</ul>${undefined}${html`<hr>`}${3}`.toString()).toBe(
      '<ul><li>a&lt;</li><li>b</li></ul><hr>3',
    );
    expect(Html.literal('<b>').toString()).toBe('<b>');
  });

  it('shows what can not be shown as a replacement, and keeps lines', () => {
    expect(escapeHtml('a\u0000b\u001bc\u009fd\u202ee\ud800f\ng\th')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ng\th');
  });

  it('leaves no character with a meaning in HTML, whatever the text', () => {
    fc.assert(
      fc.property(HOSTILE, (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"']/);
        expect(escaped.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
      }),
    );
  });
});
