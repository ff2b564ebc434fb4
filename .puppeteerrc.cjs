// Chrome is found on the machine, or taken from the npm package @sparticuz/chromium (node/chrome.mjs):
// installing the dependencies must not depend on a download from elsewhere.
module.exports = { skipDownload: true };
