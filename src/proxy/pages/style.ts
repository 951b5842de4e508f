import { Html } from './html.ts';

/**
 * The look that all pages share: a warm paper and ink, one accent, the system's own fonts, light and dark by preference.
 * Every text colour has a contrast of at least 4.5 to 1 on its ground (WCAG 2.2, 1.4.3).
 */
export const BASE_STYLE = `
:root{color-scheme:light dark;
--ground:#f6f4ef;--surface:#fffefb;--sunken:#efebe3;--ink:#1d2426;--muted:#566064;--line:#dcd6ca;
--accent:#14605a;--accent-strong:#0d4a45;--on-accent:#ffffff;--focus:#1668c4;
--warn:#8a3d12;--warn-ground:#fbeee2}
@media (prefers-color-scheme:dark){:root{
--ground:#13181a;--surface:#1a2023;--sunken:#11171a;--ink:#e9e6df;--muted:#a5aeb0;--line:#313a3e;
--accent:#83d3c4;--accent-strong:#a6e3d7;--on-accent:#08231f;--focus:#8ab8ff;
--warn:#f3b48b;--warn-ground:#2c2019}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);
font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","DejaVu Sans",sans-serif}
h1,h2,h3{line-height:1.2;font-weight:650;letter-spacing:-.01em;text-wrap:balance;margin:0}
p{margin:0;text-wrap:pretty}
code,pre,kbd,.mono{font-family:ui-monospace,SFMono-Regular,"Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.9em;overflow-wrap:anywhere}
a{color:var(--accent);text-underline-offset:.18em}
a:hover{color:var(--accent-strong)}
:focus-visible{outline:3px solid var(--focus);outline-offset:3px}
.button{display:inline-block;font:inherit;font-weight:600;cursor:pointer;text-decoration:none;
padding:.65rem 1.2rem;border-radius:.6rem;border:1px solid var(--accent);background:var(--accent);color:var(--on-accent)}
.button:hover{background:var(--accent-strong);border-color:var(--accent-strong);color:var(--on-accent)}
.button.quiet{background:transparent;color:var(--accent)}
.button.quiet:hover{background:var(--sunken);color:var(--accent-strong)}
.mark{display:block;width:2.5rem;height:2.5rem;color:var(--accent)}
@media (prefers-reduced-motion:no-preference){.button{transition:background-color .15s,border-color .15s}}
@media (forced-colors:active){.button{border:1px solid ButtonText}}
`;

/** A postern: the small door in the wall. */
export const MARK = Html.literal(
  '<svg class="mark" viewBox="0 0 40 40" aria-hidden="true" focusable="false">' +
    '<path fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" ' +
    'd="M4 36h32M7 36V18a13 13 0 0 1 26 0v18"/>' +
    '<path fill="currentColor" d="M13 33V18.5a7 7 0 0 1 14 0V33z"/>' +
    '<circle class="keyhole" cx="23.4" cy="24.6" r="1.5"/></svg>',
);

/** The same as an icon inside the page, so that a page asks for nothing else. */
export const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><path fill="none" stroke="#2a8f84" stroke-width="3" ' +
    'd="M4 36h32M7 36V18a13 13 0 0 1 26 0v18"/><path fill="#2a8f84" d="M13 33V18.5a7 7 0 0 1 14 0V33z"/></svg>',
)}`;
