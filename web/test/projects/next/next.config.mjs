export default { serverExternalPackages: ["tfjs-esrgan"] };
