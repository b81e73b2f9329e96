export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // They take minutes, and have a configuration of their own: `npm run test:crash`.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/crash/'],
  extensionsToTreatAsEsm: ['.ts'],
  // TypeScript's ESM names the file that will be emitted; Jest needs the one that is there.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': '@swc/jest' },
  testEnvironment: '<rootDir>/test/support/leak-failing-environment.js',
  globalSetup: '<rootDir>/test/support/global-setup.js',
  globalTeardown: '<rootDir>/test/support/global-teardown.js',
  testTimeout: 30_000,
  maxWorkers: 2,
  // The module registry of --experimental-vm-modules is not freed between files, and what is left of it can crash Node 20
  // (nodejs/node#54735): so each file has a worker of its own.
  workerIdleMemoryLimit: '1MB',
};
