// Jest compiles TypeScript for the tests alone, so this file is JavaScript, and Node compiles what it imports.
import '@swc-node/register/esm-register';

export default async function globalSetup() {
  const { startTestCluster } = await import('./test-cluster.ts');
  await startTestCluster();
}
