// helm test: whether /readyz of a Pod behind the admin Service says ok. Nodes learn of a Service's Pods a moment after these are
// ready, so right after an installation it is asked again for a while.
const url = process.env.READY_URL;
const end = Date.now() + 30_000;
for (;;) {
  const answer = await ask();
  console.log(`${url}: ${answer.text}`);
  if (answer.ready) process.exit(0);
  if (Date.now() > end) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

async function ask() {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return { ready: response.status === 200, text: `${response.status}\n${await response.text()}` };
  } catch (error) {
    return { ready: false, text: `${error.message} ${error.cause?.message ?? ''}` };
  }
}
