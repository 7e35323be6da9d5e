module.exports = { entry: "./main.js", performance: { hints: false } };
