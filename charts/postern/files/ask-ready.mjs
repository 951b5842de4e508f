// helm test: whether /readyz of a Pod behind the admin Service says ok.
const url = process.env.READY_URL;
const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
const text = await response.text();
console.log(`${url}: ${response.status}\n${text}`);
process.exit(response.status === 200 ? 0 : 1);
