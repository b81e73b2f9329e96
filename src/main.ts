import { ConfigError, loadConfig, type Config } from './config.js';
import { EmbeddedPostgresError } from './database/embedded-postgres.js';
import { createLogger } from './observability/logger.js';
import { startProduct, StartError, type RunningProduct } from './start.js';
import { welcome } from './welcome.js';

/** A second signal, or a drain that takes longer than this, ends the process all the same. */
const STOP_WITHIN_MILLISECONDS = 30_000;

async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger(config.logLevel, !config.production);
  const product = await startProduct(config, log);
  stopOnSignals(product, (message) => log.info(message));
  if (config.production) log.info({ url: product.url }, 'Quittance is ready');
  else console.log(await welcome(product, config satisfies Config));
}

function stopOnSignals(product: RunningProduct, log: (message: string) => void): void {
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) process.exit(1);
    stopping = true;
    log(`${signal}: finishing what is under way`);
    setTimeout(() => process.exit(1), STOP_WITHIN_MILLISECONDS).unref();
    product.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** What a person can put right is said in a sentence; what only we can, with its stack. */
function fail(error: unknown): never {
  const isForPeople =
    error instanceof ConfigError || error instanceof StartError || error instanceof EmbeddedPostgresError;
  console.error(isForPeople ? `\n${error.message}\n` : error);
  process.exit(1);
}

main().catch(fail);
