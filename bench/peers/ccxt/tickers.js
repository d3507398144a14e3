// Measures how long ccxt takes to fetch, parse and normalise all tickers of an
// exchange (KuCoin's, spot) from a server on loopback.
//
//   node tickers.js DIRECTORY URL COUNT
//
// DIRECTORY has ccxt in its node_modules; URL answers as the exchange's API
// does, with COUNT tickers of S0-USDT, S1-USDT and so on. As every peer of the
// benchmark it writes a line of JSON about itself, then answers each line of
// JSON on its input with one, until the input ends.
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const readline = require('node:readline');

const [directory, url, countText] = process.argv.slice(2);
const count = Number(countText);
const ccxt = createRequire(path.join(directory, 'package.json'))('ccxt');

const exchange = new ccxt.kucoin({ enableRateLimit: false, timeout: 60000 });
exchange.urls.api.public = url;
exchange.setMarkets(Array.from({ length: count }, (_, i) => {
  const base = `S${i}`;
  return {
    id: `${base}-USDT`, symbol: `${base}/USDT`, base, quote: 'USDT', baseId: base, quoteId: 'USDT',
    type: 'spot', spot: true, margin: false, swap: false, future: false, option: false,
    contract: false, active: true, precision: {}, limits: {}, info: {},
  };
}));

const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');

// measure fetches all tickers once.
async function measure() {
  const start = process.hrtime.bigint();
  const tickers = await exchange.fetchTickers();
  const micros = Number(process.hrtime.bigint() - start) / 1000;
  const got = Object.keys(tickers).length;
  if (got !== count || typeof tickers['S0/USDT']?.ask !== 'number') {
    throw new Error(`got ${got} tickers of ${count}, or one without an ask`);
  }
  return { per_second: got / (micros / 1e6), p50_us: micros, p99_us: micros };
}

async function main() {
  say({ name: `ccxt ${ccxt.version}`, durability: 'nothing is kept', settings: `Node ${process.versions.node}` });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    try {
      say(command.do === 'tickers' ? await measure() : { error: `there is no command ${command.do}` });
    } catch (error) {
      say({ error: String(error).slice(0, 600) });
    }
  }
}

main().then(() => process.exit(0), (error) => {
  console.error(String(error));
  process.exit(1);
});
