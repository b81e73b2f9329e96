import type { EntityManager } from 'typeorm';
import { CommandError, runCommand, withDatabase } from '../command-line.js';
import { loadConfig, type Config } from '../config.js';
import { databaseNow } from '../database/database-clock.js';
import { createProviders } from '../create-providers.js';
import type { AskingDependencies } from '../payments/ask-provider.js';
import { ProviderFailure, type Provider } from '../providers/provider.js';
import { findSandbox } from '../running-sandbox.js';
import { readCommand, USAGE, type Command } from './command.js';
import { askingAboutEach } from './asked-payments.js';
import { listsPayments } from './compare-books.js';
import { attemptsElsewhere, countOurCaptures } from './our-books.js';
import { startProgressBar } from './progress-bar.js';
import { reconcileProvider, type Reconciliation } from './reconcile-provider.js';
import { report, summary } from './report.js';

const NOTHING_DIFFERS = 0;
const DIFFERENCES_ARE_LEFT = 1;
const COULD_NOT_COMPARE = 2;

async function main(): Promise<void> {
  const given = process.argv.slice(2);
  const wanted = readCommand(given, new Date());
  if (wanted === 'help') return console.log(USAGE);
  const config = loadConfig();
  const providers = createProviders(config, config, config.publicUrl);
  const chosen = await choose(providers, wanted, config);
  await withDatabase('reconcile', async (manager) => {
    // What "now" means is said by the clock that has dated our payments.
    const command = readCommand(given, await databaseNow(manager));
    if (command !== 'help') process.exitCode = await reconcile(manager, command, providers, chosen);
  });
}

async function choose(
  providers: readonly Provider[],
  command: Command,
  config: Config,
): Promise<readonly Provider[]> {
  if (providers.length === 0) throw new CommandError(await whyThereIsNone(config));
  const names = providers.map(({ name }) => name).join(', ');
  const chosen = providers.filter(({ name }) => command.provider === undefined || name === command.provider);
  if (chosen.length > 0) return chosen;
  throw new CommandError(`There is no provider ${command.provider} here. Configured: ${names}.`);
}

async function whyThereIsNone({ dataFolder }: Config): Promise<string> {
  const sandbox = await findSandbox(dataFolder);
  return [
    'No provider is configured here. Set the variables of the providers that the server has: STRIPE_…, PAWAPAY_…,',
    'PAYDUNYA_…, or BANKS and each bank’s BANK_…_URL, _API_KEY and _WEBHOOK_SECRETS.',
    ...(sandbox
      ? [
          `The server at ${sandbox.serverUrl} plays its providers itself, with keys that only it knows, so its`,
          'doubles can’t be asked from here.',
        ]
      : []),
  ].join('\n');
}

async function reconcile(
  manager: EntityManager,
  command: Command,
  providers: readonly Provider[],
  chosen: readonly Provider[],
): Promise<number> {
  const dependencies: AskingDependencies = {
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    // The server's relay looks by itself, every second.
    wakeRelay: () => {},
    actor: 'operator:reconcile',
  };
  const done: Reconciliation[] = [];
  for (const provider of chosen) {
    const reconciliation = await reconcileOne(manager, dependencies, provider, command);
    if (reconciliation) done.push(reconciliation);
  }
  if (done.length > 0) console.log(summary(done, command.repair));
  const missing = command.provider === undefined ? await sayWhoIsMissing(manager, providers, command) : 0;
  if (done.length < chosen.length || missing > 0) return COULD_NOT_COMPARE;
  return done.some(({ left }) => left.length > 0) ? DIFFERENCES_ARE_LEFT : NOTHING_DIFFERS;
}

/** Undefined, with the reason said, when the provider doesn't answer: the others are compared all the same. */
async function reconcileOne(
  manager: EntityManager,
  dependencies: AskingDependencies,
  provider: Provider,
  { range, repair }: Command,
): Promise<Reconciliation | undefined> {
  const about = await countOurCaptures(manager, provider.name, range);
  const bar = startProgressBar(process.stderr, provider.name, about);
  const comparable = (runner: EntityManager) =>
    listsPayments(provider) ? provider : askingAboutEach(runner, provider);
  try {
    const reconciliation = await reconcileProvider(manager, dependencies, comparable, range, {
      repair,
      onProgress: (compared) => bar.show(compared),
    });
    bar.end();
    console.log(report(reconciliation, repair));
    return reconciliation;
  } catch (error) {
    bar.end();
    if (!(error instanceof ProviderFailure)) throw error;
    console.error(`${provider.name} could not be compared (${error.code}): ${error.message}`);
    return undefined;
  }
}

/** Providers that have payments of this time and were taken out of the configuration. @returns how many. */
async function sayWhoIsMissing(
  manager: EntityManager,
  providers: readonly Provider[],
  { range }: Command,
): Promise<number> {
  const missing = await attemptsElsewhere(
    manager,
    providers.map(({ name }) => name),
    range,
  );
  for (const { provider, attempts } of missing) {
    console.error(
      `${provider} is not configured here, so its attempts (${attempts}) could not be compared: look at them there.`,
    );
  }
  return missing.length;
}

runCommand(main, COULD_NOT_COMPARE);
