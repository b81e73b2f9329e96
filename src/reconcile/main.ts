import type { EntityManager } from 'typeorm';
import { CommandError, runCommand, withDatabase } from '../command-line.js';
import { loadConfig, type Config } from '../config.js';
import { createProviders } from '../create-providers.js';
import type { AskingDependencies } from '../payments/ask-provider.js';
import { ProviderFailure, type Provider } from '../providers/provider.js';
import { findSandbox } from '../running-sandbox.js';
import { readCommand, USAGE, type Command } from './command.js';
import { listsPayments, type ComparableProvider } from './compare-books.js';
import { countOurCaptures } from './our-books.js';
import { startProgressBar } from './progress-bar.js';
import { reconcileProvider, type Reconciliation } from './reconcile-provider.js';
import { report, summary } from './report.js';

const NOTHING_DIFFERS = 0;
const DIFFERENCES_ARE_LEFT = 1;
const COULD_NOT_COMPARE = 2;

async function main(): Promise<void> {
  const command = readCommand(process.argv.slice(2), new Date());
  if (command === 'help') return console.log(USAGE);
  const config = loadConfig();
  const providers = createProviders(config, config, config.publicUrl);
  const comparable = await choose(providers, command, config);
  await withDatabase('reconcile', async (manager) => {
    process.exitCode = await reconcile(manager, command, providers, comparable);
  });
}

async function choose(
  providers: readonly Provider[],
  command: Command,
  config: Config,
): Promise<ComparableProvider[]> {
  if (providers.length === 0) throw new CommandError(await whyThereIsNone(config));
  const names = providers.map(({ name }) => name).join(', ');
  const chosen = providers.filter(({ name }) => command.provider === undefined || name === command.provider);
  if (chosen.length === 0) {
    throw new CommandError(`There is no provider ${command.provider} here. Configured: ${names}.`);
  }
  for (const { name } of chosen.filter((provider) => !listsPayments(provider))) {
    console.error(`${name} keeps no list of payments, so it can't be compared.`);
  }
  const comparable = chosen.filter(listsPayments);
  if (comparable.length === 0) throw new CommandError('There is nothing to compare with.');
  return comparable;
}

async function whyThereIsNone({ dataFolder }: Config): Promise<string> {
  const sandbox = await findSandbox(dataFolder);
  return [
    'No provider is configured here. Set what the server has: STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY and',
    'STRIPE_WEBHOOK_SECRETS, or BANKS and each bank’s BANK_…_URL, _API_KEY and _WEBHOOK_SECRETS.',
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
  comparable: readonly ComparableProvider[],
): Promise<number> {
  const dependencies: AskingDependencies = {
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    // The server's relay looks by itself, every second.
    wakeRelay: () => {},
    actor: 'operator:reconcile',
  };
  const done: Reconciliation[] = [];
  for (const provider of comparable) {
    const reconciliation = await reconcileOne(manager, dependencies, provider, command);
    if (reconciliation) done.push(reconciliation);
  }
  if (done.length > 0) console.log(summary(done, command.repair));
  if (done.length < comparable.length) return COULD_NOT_COMPARE;
  return done.some(({ left }) => left.length > 0) ? DIFFERENCES_ARE_LEFT : NOTHING_DIFFERS;
}

/** Undefined, with the reason said, when the provider doesn't answer: the others are compared all the same. */
async function reconcileOne(
  manager: EntityManager,
  dependencies: AskingDependencies,
  provider: ComparableProvider,
  { range, repair }: Command,
): Promise<Reconciliation | undefined> {
  const about = await countOurCaptures(manager, provider.name, range);
  const bar = startProgressBar(process.stderr, provider.name, about);
  try {
    const reconciliation = await reconcileProvider(manager, dependencies, provider, range, {
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

runCommand(main, COULD_NOT_COMPARE);
