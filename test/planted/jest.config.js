import config from '../../jest.config.js';

/** Tests that fail on purpose, so that the suite can see that they do: `test/unexpected-errors.test.ts`. */
export default {
  extensionsToTreatAsEsm: config.extensionsToTreatAsEsm,
  moduleNameMapper: config.moduleNameMapper,
  transform: config.transform,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/planted/*.planted.ts'],
  testEnvironment: config.testEnvironment,
  verbose: true,
};
