import { html, type Html } from './html.js';

const STYLE: Html = {
  html: `
  :root { color-scheme: light dark; --ink: #1a1f36; --soft: #697386; --line: #e3e8ee; --edge: #8792a2; --paper: #fff; --back: #f6f8fa; --focus: #4f46e5; }
  @media (prefers-color-scheme: dark) { :root { --ink: #eef1f6; --soft: #a3acb9; --line: #333a47; --edge: #717b8c; --paper: #1c212b; --back: #12151b; --focus: #a5b4fc; } }
  * { box-sizing: border-box; }
  body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); }
  .banner { background: #ffde92; color: #4b3200; text-align: center; padding: .5rem 1rem; font-weight: 600; }
  main { width: min(27rem, 100% - 2rem); margin: 2rem auto; padding: clamp(1.25rem, 6vw, 2rem); overflow-wrap: anywhere; background: var(--paper); border: 1px solid var(--line); border-radius: .75rem; }
  h1 { font-size: 1rem; font-weight: 500; color: var(--soft); margin: 0; }
  .amount { font-size: 2.25rem; line-height: 1.2; font-weight: 700; color: inherit; margin: .25rem 0 1.5rem; }
  .soft { font-size: .875rem; color: var(--soft); }
  label { display: block; font-size: .875rem; color: var(--soft); margin-bottom: .25rem; }
  input, select { width: 100%; padding: .7rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--edge); border-radius: .5rem; }
  button, .button { display: block; width: 100%; margin-top: .75rem; padding: .7rem; font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; border-radius: .5rem; border: 1px solid var(--edge); background: transparent; color: inherit; }
  button:hover, .button:hover { border-color: var(--focus); }
  :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
  button.pay { background: #4f46e5; border-color: #4f46e5; color: #fff; }
  button.pay:hover { background: #4338ca; }
  .cards { margin-top: 1.5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
  .cards summary { cursor: pointer; color: var(--soft); font-size: .875rem; }
  .cards button { display: flex; justify-content: space-between; gap: 1rem; margin-top: .4rem; padding: .45rem .7rem; font-size: .8125rem; font-weight: 400; text-align: left; }
  .cards code { color: var(--soft); white-space: nowrap; }
  td { padding: .15rem .6rem .15rem 0; vertical-align: top; }
  td code { white-space: nowrap; }
  .problem { margin: 0 0 1rem; padding: .7rem; border-radius: .5rem; background: #fde8e8; color: #9b1c1c; }
  `,
};

export function link(url: string, text: string): Html {
  return html`<a class="button" href="${url}">${text}</a>`;
}

/** A whole page of a double. */
export function page(title: string, content: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <div class="banner">Sandbox – no real money</div>
        <main>${content}</main>
      </body>
    </html>`.html;
}
