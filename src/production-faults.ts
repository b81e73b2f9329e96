import type { Config } from './config.js';
import { whyWeak } from './weak-secret.js';

/** A variable, and what it is set to. */
type Named = readonly [name: string, value: string | undefined];

/** What keeps a configuration from production: each with what to do about it. */
export function faultsInProduction(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  return [
    ...weakSecrets(config, environment),
    ...sharedSecrets(secretsOf(config)),
    ...mixedModes(modesOf(config)),
    ...insecureAddresses(config, environment),
    ...(config.operators?.jwksUrl && config.operators.audience === undefined
      ? [
          'OPERATOR_JWT_AUDIENCE must be set with OPERATOR_JWKS_URL: else what the identity provider signs for any other application opens this one',
        ]
      : []),
  ];
}

/** What keeps a configuration from being anything but production: payers would meet doubles, or pay with real money by mistake. */
export function faultsOutsideProduction(config: Config): string[] {
  const live = modesOf(withoutDoubles(config)).filter(({ mode }) => mode === 'live');
  return [
    ...live.map(({ name }) => `${name} is for real payments: set NODE_ENV=production, or use the test one`),
    ...(isLocal(new URL(config.publicUrl).hostname)
      ? []
      : [
          'PUBLIC_URL is not on this machine: set NODE_ENV=production. Test keys may be used there; the doubles of providers serve this machine alone',
        ]),
    ...(isLocal(config.host) || !needsDoubles(config)
      ? []
      : [
          `HOST=${config.host} lets other machines in, and the doubles of providers serve this machine alone: use HOST=127.0.0.1, or set NODE_ENV=production with keys of your own`,
        ]),
  ];
}

/** Starts all the same, but somebody should know. */
export function warningsInProduction(config: Config): string[] {
  const modes = modesOf(config);
  if (modes.length === 0 || modes.some(({ mode }) => mode === 'live')) return [];
  return ['All keys of providers are for tests: this server takes no real money'];
}

/** Without what is asked at this machine, where nothing is real, whatever its key is called. */
function withoutDoubles({ stripe, paydunya, pawapay, ...config }: Config): Config {
  const isReal = (url: URL | undefined) => url === undefined || !isLocal(url.hostname);
  return {
    ...config,
    ...(stripe && isReal(stripe.apiBase) && { stripe }),
    ...(paydunya && isReal(paydunya.baseUrl) && { paydunya }),
    ...(pawapay && isReal(pawapay.baseUrl) && { pawapay }),
  };
}

function needsDoubles({ stripe, paydunya, pawapay, banks }: Config): boolean {
  return !stripe || !paydunya || !pawapay || banks.length === 0;
}

/** What we choose ourselves, and can choose well; the keys that a provider makes are its own. */
function weakSecrets(config: Config, environment: Readonly<Record<string, string | undefined>>): string[] {
  const chosen: Named[] = [
    ['QUITTANCE_SECRET', config.secret],
    ['OPERATOR_JWT_SECRET', config.operators?.secret],
    ...config.banks.flatMap(({ name, webhookSecrets }) =>
      webhookSecrets.map((secret): Named => [`${variablePrefix(name)}WEBHOOK_SECRETS`, secret]),
    ),
  ];
  const given: Named[] = [
    'STRIPE_SECRET_KEY',
    'STRIPE_PUBLISHABLE_KEY',
    'STRIPE_WEBHOOK_SECRETS',
    'PAYDUNYA_MASTER_KEY',
    'PAYDUNYA_PRIVATE_KEY',
    'PAYDUNYA_TOKEN',
    'PAWAPAY_TOKEN',
  ].map((name): Named => [name, environment[name]]);
  const ofBanks = config.banks.map(({ name, apiKey }): Named => [`${variablePrefix(name)}API_KEY`, apiKey]);
  return [
    ...chosen.flatMap(([name, value]) => {
      const why = value === undefined ? null : whyWeak(value);
      return why === null ? [] : [`${name} ${why}: make a random one, with openssl rand -base64 32`];
    }),
    ...[...given, ...ofBanks].flatMap(([name, value]) =>
      value !== undefined && /change[-_ ]?me|…/i.test(value)
        ? [`${name} is an example of the documentation: put in the one that your provider gave you`]
        : [],
    ),
  ];
}

/** Who learns one of them must not know another with it. */
function sharedSecrets(secrets: readonly Named[]): string[] {
  const first = new Map<string, string>();
  const faults: string[] = [];
  for (const [name, value] of secrets) {
    if (value === undefined) continue;
    const other = first.get(value);
    if (other === undefined) first.set(value, name);
    else if (other !== name) faults.push(`${other} and ${name} have the same value: each needs its own`);
  }
  return faults;
}

function secretsOf({ secret, operators, stripe, paydunya, pawapay, banks }: Config): Named[] {
  return [
    ['QUITTANCE_SECRET', secret],
    ['OPERATOR_JWT_SECRET', operators?.secret],
    ['STRIPE_SECRET_KEY', stripe?.secretKey],
    ...(stripe?.webhookSecrets ?? []).map((value): Named => ['STRIPE_WEBHOOK_SECRETS', value]),
    ['PAYDUNYA_MASTER_KEY', paydunya?.masterKey],
    ['PAYDUNYA_PRIVATE_KEY', paydunya?.privateKey],
    ['PAYDUNYA_TOKEN', paydunya?.token],
    ['PAWAPAY_TOKEN', pawapay?.token],
    ...banks.flatMap(({ name, apiKey, webhookSecrets }): Named[] => [
      [`${variablePrefix(name)}API_KEY`, apiKey],
      ...webhookSecrets.map((value): Named => [`${variablePrefix(name)}WEBHOOK_SECRETS`, value]),
    ]),
  ];
}

interface KeyMode {
  readonly name: string;
  readonly mode: 'test' | 'live';
}

/** Of keys that say what they are for. A bank's do not. */
function modesOf({ stripe, paydunya, pawapay }: Config): KeyMode[] {
  const ofStripe = (name: string, key: string | undefined): KeyMode[] => {
    const [, mode] = /^(?:sk|rk|pk)_(test|live)_/.exec(key ?? '') ?? [];
    return mode ? [{ name, mode: mode as KeyMode['mode'] }] : [];
  };
  return [
    ...ofStripe('STRIPE_SECRET_KEY', stripe?.secretKey),
    ...ofStripe('STRIPE_PUBLISHABLE_KEY', stripe?.publishableKey),
    ...(paydunya ? [{ name: 'PAYDUNYA_PRIVATE_KEY', mode: paydunya.mode }] : []),
    ...(pawapay
      ? [
          {
            name: 'PAWAPAY_ENVIRONMENT',
            mode: pawapay.environment === 'production' ? ('live' as const) : ('test' as const),
          },
        ]
      : []),
  ];
}

function mixedModes(modes: readonly KeyMode[]): string[] {
  const named = (wanted: KeyMode['mode']) =>
    modes.filter(({ mode }) => mode === wanted).map(({ name }) => name);
  const [test, live] = [named('test'), named('live')];
  if (test.length === 0 || live.length === 0) return [];
  return [
    `${test.join(', ')} ${test.length > 1 ? 'are' : 'is'} for tests, and ${live.join(', ')} for real payments: what is paid with the one costs nothing`,
  ];
}

/** What goes over the network goes over TLS; this machine's own proxy may be spoken to without. */
function insecureAddresses(
  { publicUrl, allowedOrigins, banks }: Config,
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const addresses: Named[] = [
    ['PUBLIC_URL', publicUrl],
    ...(allowedOrigins === 'LOCALHOST' ? [] : allowedOrigins).map((origin): Named => [
      'ALLOWED_ORIGINS',
      origin,
    ]),
    ...['OPERATOR_JWKS_URL', 'STRIPE_API_URL', 'PAYDUNYA_API_URL', 'PAWAPAY_API_URL', 'CHECKOUT_URL'].map(
      (name): Named => [name, environment[name]],
    ),
    ...banks.map(({ name, baseUrl }): Named => [`${variablePrefix(name)}URL`, baseUrl.href]),
  ];
  return addresses.flatMap(([name, value]) => {
    if (value === undefined || !URL.canParse(value)) return [];
    const { protocol, hostname } = new URL(value);
    return protocol === 'https:' || isLocal(hostname)
      ? []
      : [`${name} must begin with https://, and not with ${protocol}//`];
  });
}

function variablePrefix(bank: string): string {
  return `${bank.replace('-', '_').toUpperCase()}_`;
}

/** The name or address of this machine itself. */
export function isLocal(hostname: string): boolean {
  return ['localhost', '::1', '[::1]'].includes(hostname) || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
