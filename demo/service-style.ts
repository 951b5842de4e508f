/** What the service's page adds to the shared look: cards, tables, and the three colours of a token's three parts. */
export const SERVICE_STYLE = `
:root{--jwt-header:#b3261e;--jwt-payload:#6a3fa0;--jwt-signature:#00608a}
@media (prefers-color-scheme:dark){:root{--jwt-header:#ff9d94;--jwt-payload:#cbb2ff;--jwt-signature:#7fcdf0}}
body{padding:0 1.25rem 2rem}
.skip{position:absolute;left:-100vw}
.skip:focus{left:1rem;top:1rem;background:var(--surface);padding:.5rem 1rem;z-index:1}
.top,main,footer{max-width:66rem;margin:0 auto}
.top{display:flex;flex-wrap:wrap;gap:.75rem 2rem;align-items:center;justify-content:space-between;padding:1rem 0;border-bottom:1px solid var(--line)}
.name{display:flex;align-items:center;gap:.6rem;font-weight:650}
.mark{width:1.75rem;height:1.75rem}
.keyhole{fill:var(--ground)}
nav{display:flex;flex-wrap:wrap;gap:.25rem}
nav a{padding:.4rem .75rem;border-radius:.5rem;text-decoration:none;font-weight:600;color:var(--ink)}
nav a small{font-weight:400;color:var(--muted);margin-left:.15rem}
nav a:hover{background:var(--sunken)}
nav a[aria-current]{background:var(--surface);box-shadow:inset 0 0 0 1px var(--line);color:var(--accent)}
.request{padding:2.5rem 0 1.75rem}
.eyebrow{color:var(--muted);margin-bottom:.35rem}
h1{font-size:clamp(1.35rem,1rem + 1.9vw,2.1rem);overflow-wrap:anywhere;letter-spacing:-.015em}
.method{color:var(--accent)}
.query{display:flex;flex-wrap:wrap;gap:.4rem .5rem;margin:1rem 0 0}
.query div{display:flex;border:1px solid var(--line);border-radius:.45rem;overflow:hidden;font-size:.9rem;max-width:100%}
.query dt,.query dd{margin:0;padding:.15rem .6rem;overflow-wrap:anywhere}
.query dt{background:var(--sunken);color:var(--muted)}
.query dd{background:var(--surface)}
.card{background:var(--surface);border:1px solid var(--line);border-radius:.9rem;padding:1.5rem;margin-bottom:1.25rem}
h2{font-size:1.25rem}
h2 small{font-size:.95rem;font-weight:400;color:var(--muted);letter-spacing:0}
h3{font-size:.95rem;margin:0 0 .5rem}
.hint{color:var(--muted);font-size:.9rem;line-height:1.45}
.person{display:flex;flex-wrap:wrap;gap:1.25rem;align-items:center}
.person>div{flex:1 1 16rem;min-width:0}
.person>div>p{color:var(--muted);margin-top:.25rem}
.avatar{display:grid;place-items:center;width:3.5rem;height:3.5rem;border-radius:1.75rem 1.75rem .35rem .35rem;background:var(--accent);color:var(--on-accent);font-size:1.5rem;font-weight:650}
.facts{display:flex;flex-wrap:wrap;gap:.25rem 1.75rem;margin:.4rem 0 0}
.facts div{min-width:0}
.facts dt{display:inline;color:var(--muted);font-size:.9rem}
.facts dd{display:inline;margin:0 0 0 .4rem}
.sides{display:grid;gap:1.5rem 2rem;margin-top:1rem}
@media (min-width:56rem){.sides{grid-template-columns:17rem minmax(0,1fr)}.encoded{position:sticky;top:1rem;align-self:start}}
.jwt{background:var(--sunken);border-radius:.6rem;padding:.9rem 1rem;font-size:.78rem;line-height:1.55;word-break:break-all}
.jwt-header{color:var(--jwt-header)}
.jwt-payload{color:var(--jwt-payload)}
.jwt-signature{color:var(--jwt-signature)}
table{width:100%;border-collapse:collapse}
th,td{text-align:left;vertical-align:baseline;padding:.45rem .75rem .45rem 0;border-top:1px solid var(--line);font-weight:400}
.claims{table-layout:fixed;margin-bottom:1.5rem}
.of-name{width:11rem}
.of-meaning{width:38%}
.claims th{font-weight:600}
.claims td{overflow-wrap:anywhere}
.claims td:last-child{padding-right:0}
.time{display:block;color:var(--muted);font-size:.875rem}
.group{margin-top:1.25rem}
.group.identity{background:var(--sunken);border-left:4px solid var(--accent);border-radius:.3rem .6rem .6rem .3rem;padding:1rem 1.1rem}
.headers{table-layout:fixed;margin-top:.5rem}
.headers th{width:15rem;font-weight:600}
.headers td{font-size:.82rem;line-height:1.55;overflow-wrap:anywhere}
pre{background:var(--sunken);border-radius:.6rem;padding:1rem;margin:.75rem 0 0;white-space:pre-wrap}
footer{color:var(--muted);font-size:.9rem;padding:.5rem 0}
.visually-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (max-width:40rem){
body{padding:0 .9rem 1.5rem}
nav{margin:0 -.5rem}
nav a{padding:.4rem .5rem}
nav a small{display:none}
.request{padding:1.75rem 0 1.25rem}
.card{padding:1.1rem}
.headers,.headers tbody,.headers tr,.headers th,.headers td,.claims,.claims tbody,.claims tr,.claims th,.claims td{display:block;width:auto}
.claims tr,.headers tr{border-top:1px solid var(--line);padding:.5rem 0}
th,td,.claims td:last-child{border:0;padding:0;width:auto}
}
`;
