export default { optimizeDeps: { exclude: ["tfjs-esrgan"] } };
