/** Why the demo can't go on, in a message that says what to do next. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}

/** As `fetch`; a server that went away meanwhile is said in a sentence. @throws {DemoError} */
export async function reach(url: string | URL, request: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    throw new DemoError(
      `${new URL(url).origin} stopped answering in the middle of the story.\n` +
        'Start the server again (npm start) and look at its log, then play the demo once more: npm run demo',
      { cause: error },
    );
  }
}
