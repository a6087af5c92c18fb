using FewStep.Checkpoints;

namespace FewStep.Sampling;

/// <summary>Makes images again that another program, or a model and its sampler, stored with what they were made from.</summary>
internal static class SamplerVerification
{
    private const string Samples = "samples", LatentsName = "latents", Seeds = "seeds", Labels = "labels";

    /// <param name="path">npz file with <c>samples</c> [B,C,H,W], <c>latents</c> [B,C,H,W] or <c>seeds</c> int64 [B], and optionally
    /// <c>labels</c> (int [B], or one-hot [B,K]).</param>
    public static VerificationResult Run(IBatchSource source, string path, CancellationToken cancellation = default)
    {
        var names = NpzFile.Names(path);
        var arrays = NpzFile.Read(path, [.. names.Where(name => name is Samples or LatentsName or Seeds or Labels)]);
        if (!arrays.TryGetValue(Samples, out var samples) || !(arrays.ContainsKey(LatentsName) || arrays.ContainsKey(Seeds)))
        {
            throw new InvalidInputException($"{path} needs the array samples, and latents or seeds; it holds "
                + $"{string.Join(", ", names.Take(8).Select(Printable.Text))}.");
        }

        using var scope = NewDisposeScope();
        var latents = arrays.TryGetValue(LatentsName, out var given) ? ModelVerification.Floats(given, LatentsName, path)
            : Drawn(arrays[Seeds], source.Shape, path);
        if (latents.shape.Length != 4 || latents.shape[0] < 1 || !latents.shape.AsSpan(1).SequenceEqual(source.Shape.Batch(1).AsSpan(1)))
        {
            throw new InvalidInputException($"{path}: latents have shape [{string.Join(',', latents.shape)}]; the sampler takes "
                + $"[B,{string.Join(',', source.Shape.Batch(1)[1..])}].");
        }

        long images = latents.shape[0];
        long[] numbers = [.. Enumerable.Range(0, (int)images).Select(i => (long)i)];
        var labels = arrays.TryGetValue(Labels, out var stored)
            ? ModelVerification.ReadLabels(stored, images, source.Classes, path) : SeedLabels.For(numbers, source.Classes);
        return ModelVerification.Compare(Samples, samples, images, Make, path, cancellation);

        Tensor Make(long start, long count) => source.Sample(
            latents.narrow(0, start, count), [.. numbers.Skip((int)start).Take((int)count)], labels?.narrow(0, start, count),
            cancellation).Samples;
    }

    private static Tensor Drawn(NpyArray seeds, ImageShape shape, string path) => seeds.Values is long[] { Length: > 0 } numbers
        ? Latents.Draw(numbers, shape) : throw new InvalidInputException($"{path}: seeds must be int64, one for each image.");
}
