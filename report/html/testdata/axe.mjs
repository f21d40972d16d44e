// What axe-core finds in some pages, at two widths and in both colour schemes.
// node axe.mjs CHROMIUM PAGE…, with the modules beside NODE_PATH; a JSON list
// of what is wrong, empty where nothing is.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.NODE_PATH + "/");
const puppeteer = require("puppeteer-core");
const [chromium, ...pages] = process.argv.slice(2);
const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox"] });
const found = [];
for (const page of pages) {
  for (const [width, scheme] of [[1280, "light"], [1280, "dark"], [360, "light"]]) {
    const tab = await browser.newPage();
    await tab.setBypassCSP(true); // axe is no part of the page
    await tab.setViewport({ width, height: 900 });
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await tab.goto(pathToFileURL(page).href);
    await tab.addScriptTag({ path: require.resolve("axe-core/axe.min.js") });
    const result = await tab.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    if (result.passes.length < 10) found.push({ page, rule: "axe", why: "looked at next to nothing" });
    for (const { id, help, nodes } of result.violations) {
      found.push({ page, width, scheme, rule: id, why: help, at: nodes.slice(0, 3).map((n) => n.html.slice(0, 160)) });
    }
    await tab.close();
  }
}
await browser.close();
console.log(JSON.stringify(found));
