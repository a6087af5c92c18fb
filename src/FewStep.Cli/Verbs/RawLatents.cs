using static TorchSharp.torch;

namespace FewStep.Cli.Verbs;

/// <summary>Unit noise from a NumPy file: <c>latents</c> [B,C,H,W], float32 or float64, and optionally <c>labels</c> int64 [B].</summary>
internal sealed class RawLatents : IDisposable
{
    private const string LatentsName = "latents";
    private const string LabelsName = "labels";

    private RawLatents(Tensor latents, Tensor? labels) => (Latents, Labels) = (latents, labels);

    /// <summary>The noise [B,C,H,W], float32 or float64; owned here.</summary>
    public Tensor Latents { get; }

    /// <summary>Labels int64 [B], -1 for no class; null where the file has none. Owned here.</summary>
    public Tensor? Labels { get; }

    public static RawLatents Read(string path, ImageShape shape, int classes)
    {
        var names = NpzFile.Names(path);
        var arrays = NpzFile.Read(path, names.Contains(LabelsName) ? [LatentsName, LabelsName] : [LatentsName]);
        var latents = arrays[LatentsName];
        CheckLatents(path, latents, shape);
        if (!arrays.TryGetValue(LabelsName, out var labels))
            return new RawLatents(latents.ToTensor(), null);
        CheckLabels(path, labels, latents.Shape[0], classes);
        return new RawLatents(latents.ToTensor(), classes == 0 ? null : labels.ToTensor());
    }

    public void Dispose()
    {
        Latents.Dispose();
        Labels?.Dispose();
    }

    private static void CheckLatents(string path, NpyArray latents, ImageShape shape)
    {
        if (latents.Values is not (float[] or double[]))
        {
            throw new InvalidInputException(
                $"{path}: latents hold {latents.Values.GetType().GetElementType()!.Name} values; they must be float32 or float64.");
        }

        if (latents.Shape is not [> 0, long c, long h, long w] || (c, h, w) != (shape.Channels, shape.Height, shape.Width))
        {
            throw new InvalidInputException($"{path}: latents have shape [{string.Join(", ", latents.Shape)}]; for this model it must be "
                + $"[B, {shape.Channels}, {shape.Height}, {shape.Width}] with B above 0.");
        }

        int bad = latents.Values is float[] single ? Array.FindIndex(single, v => !float.IsFinite(v))
            : Array.FindIndex((double[])latents.Values, v => !double.IsFinite(v));
        if (bad >= 0)
        {
            throw new InvalidInputException(
                $"{path}: value {bad} of the latents (image {bad / shape.Dimension}) is NaN or infinite; latents are unit noise.");
        }
    }

    private static void CheckLabels(string path, NpyArray labels, long images, int classes)
    {
        if (labels.Values is not long[] values || labels.Shape.Length != 1 || labels.Shape[0] != images)
        {
            throw new InvalidInputException(
                $"{path}: labels hold {labels.Values.GetType().GetElementType()!.Name} values of shape "
                    + $"[{string.Join(", ", labels.Shape)}]; they must be int64 [{images}], one for each of the latents.");
        }

        int bad = Array.FindIndex(values, label => label < -1 || label >= classes);
        if (bad >= 0)
        {
            throw new InvalidInputException(classes == 0
                ? $"{path}: label {values[bad]} of image {bad} is none of the model's, which has no classes; leave labels out."
                : $"{path}: label {values[bad]} of image {bad} is none of the model's; labels are 0 to {classes - 1}, or -1 for no class.");
        }
    }
}
