import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Liquid } from 'liquidjs';
import { EMAIL_LANGUAGES, type EmailLanguage } from './email-language.js';
import { EMAIL_TEMPLATES, type EmailTemplate } from './email-template.js';
import type { EmailVariables } from './email-variables.js';
import { sampleVariables } from './sample-variables.js';
import { oneLine } from './payers-words.js';

const PARTS = ['subject', 'text', 'html'] as const;
type Part = (typeof PARTS)[number];

export type WrittenEmail = Readonly<Record<Part, string>>;

/** Names every file that is at fault, so that nobody has to start ten times. */
export class EmailTemplatesError extends Error {
  override readonly name = 'EmailTemplatesError';

  constructor(readonly faults: readonly string[]) {
    super(`The templates of e-mails are not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

const OURS = join(import.meta.dirname, 'templates');
const ENDING = '.liquid';
const PARTIALS = 'partials/';

/** Templates are trusted, and still must not hold up a payment's events for long. */
const RENDER_LIMIT_MILLISECONDS = 2_000;

/** The templates in memory. What a shop changes in its files counts from the next start. */
export class EmailTemplates {
  private readonly html: Liquid;
  private readonly plain: Liquid;

  /** @param files by their path within the folder, with slashes. */
  constructor(private readonly files: Readonly<Record<string, string>>) {
    const options = {
      templates: { ...files },
      strictFilters: true,
      ownPropertyOnly: true,
      cache: true,
      renderLimit: RENDER_LIMIT_MILLISECONDS,
    };
    this.html = new Liquid({ ...options, outputEscape: 'escape' });
    this.plain = new Liquid(options);
  }

  /** @throws when a template can't say what it is to say. */
  async write(template: EmailTemplate, variables: EmailVariables): Promise<WrittenEmail> {
    const { language } = variables;
    const [subject, text, html] = await Promise.all(
      PARTS.map((part) => this.render(fileOf(language, template, part), variables)),
    );
    return { subject: oneLine(subject!), text: withoutGaps(text!), html: html!.trim() };
  }

  /** What is wrong with each of them, by the name of its file. */
  async faults(): Promise<string[]> {
    const unknown = Object.keys(this.files)
      .filter((file) => !file.startsWith(PARTIALS) && !KNOWN_FILES.has(file))
      .map((file) => `${file}: no e-mail has this file`);
    const tried = await Promise.all(
      EMAIL_LANGUAGES.flatMap((language) =>
        EMAIL_TEMPLATES.flatMap((template) =>
          PARTS.map((part) =>
            this.faultOf(fileOf(language, template, part), sampleVariables(template, language)),
          ),
        ),
      ),
    );
    return [...unknown, ...tried.filter((fault) => fault !== null)];
  }

  private async faultOf(file: string, variables: EmailVariables): Promise<string | null> {
    try {
      // A misspelt variable would be nothing at all in the mail; here it is a fault.
      const written = await this.render(file, variables, true);
      return written.trim() === '' ? `${file}: it says nothing` : null;
    } catch (error) {
      const [message = ''] = String((error as Error).message).split('\n');
      return message.includes(ENDING) ? message : `${file}: ${message}`;
    }
  }

  private render(file: string, variables: EmailVariables, strictVariables = false): Promise<string> {
    const engine = file.endsWith(`.html${ENDING}`) ? this.html : this.plain;
    return engine.renderFile(file, variables, { strictVariables }) as Promise<string>;
  }
}

/**
 * Ours, each of them replaced where the shop's folder has a file of the same path.
 * @throws {EmailTemplatesError}
 */
export async function readEmailTemplates(folder?: string): Promise<EmailTemplates> {
  const theirs = folder === undefined ? {} : await readTheirs(folder);
  const templates = new EmailTemplates({ ...(await readFolder(OURS)), ...theirs });
  const faults = await templates.faults();
  if (faults.length > 0) throw new EmailTemplatesError(faults);
  return templates;
}

async function readTheirs(folder: string): Promise<Record<string, string>> {
  try {
    return await readFolder(folder);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new EmailTemplatesError([`${folder} can't be read (${code})`]);
  }
}

async function readFolder(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith(ENDING))
    .map((entry) => join(entry.parentPath, entry.name));
  const files = paths.map(async (path) => {
    const name = relative(folder, path).split(sep).join('/');
    return [name, await readFile(path, 'utf8')] as const;
  });
  return Object.fromEntries(await Promise.all(files));
}

function fileOf(language: EmailLanguage, template: EmailTemplate, part: Part): string {
  return `${language}/${template.toLowerCase().replaceAll('_', '-')}.${part}${ENDING}`;
}

const KNOWN_FILES = new Set(
  EMAIL_LANGUAGES.flatMap((language) =>
    EMAIL_TEMPLATES.flatMap((template) => PARTS.map((part) => fileOf(language, template, part))),
  ),
);

/** What a template leaves out, it leaves empty lines for. */
function withoutGaps(text: string): string {
  return `${text
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
