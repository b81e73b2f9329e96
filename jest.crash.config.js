import config from './jest.config.js';

/** Kills servers and databases again and again, for minutes; so it runs apart: `npm run test:crash`. */
export default {
  ...config,
  testMatch: ['<rootDir>/test/crash/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
