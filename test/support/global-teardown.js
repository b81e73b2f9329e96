import '@swc-node/register/esm-register';

export default async function globalTeardown() {
  const { stopTestCluster } = await import('./test-cluster.ts');
  await stopTestCluster();
}
