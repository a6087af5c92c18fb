using FewStep.Text;

namespace FewStep.Metrics;

/// <summary>A CLIP in a folder as optimum exports it: <c>model.onnx</c>, <c>preprocessor_config.json</c> and the tokenizer's files. Dispose
/// it.</summary>
internal sealed class ClipModel : IDisposable
{
    private const string Assembly = "FewStep.Onnx";
    private const int UsualLength = 77;
    private readonly IClipNetwork _network;
    private readonly ClipPreprocessing _images;
    private readonly ClipTokenizer _tokenizer;

    private ClipModel(string name, IClipNetwork network, ClipPreprocessing images, ClipTokenizer tokenizer, string hash) =>
        (Name, _network, _images, _tokenizer, Hash) = (name, network, images, tokenizer, hash);

    /// <summary>Name for people: that of the folder.</summary>
    public string Name { get; }

    /// <summary>SHA-256 of all that determines what it computes.</summary>
    public string Hash { get; }

    /// <returns>The model; the caller owns it.</returns>
    public static ClipModel Open(string folder)
    {
        string[] places = [Path.Combine(folder, Model.OnnxNetworkName), Path.Combine(folder, "onnx", Model.OnnxNetworkName)];
        string file = places.FirstOrDefault(File.Exists) ?? throw new InvalidInputException(
            $"{folder} has no {Model.OnnxNetworkName}: give the folder of a CLIP as optimum exports it, with images and texts in "
                + "one file.");
        string config = Path.Combine(folder, ClipPreprocessing.FileName);
        if (!File.Exists(config))
        {
            throw new InvalidInputException(
                $"{folder} has no {ClipPreprocessing.FileName}, which says how images enter; fetch it with the model.");
        }

        var images = ClipPreprocessing.Read(config);
        var tokenizer = ClipTokenizer.Open(folder);
        var format = Type.GetType($"{Assembly}.OnnxClipFormat, {Assembly}") is { } type ? (IClipFormat)Activator.CreateInstance(type)!
            : throw new InvalidInputException($"{file} is an ONNX model; reference the package {Assembly}, which reads those.");
        var network = format.Open(file);
        string tokens = string.Join(' ', tokenizer.Padded(tokenizer.Encode("a tokenizer is told by what it gives"), UsualLength));
        return new ClipModel(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), network, images, tokenizer,
            Sha256.Of($"{network.Hash}\n{Sha256.OfFile(config)}\n{tokens}"));
    }

    /// <summary>The cosine of the angle between each image's embedding and its text's.</summary>
    /// <param name="pixels">Images [B,C,H,W] in [-1,1], of 8 bits.</param>
    /// <param name="texts">One for each.</param>
    public double[] Cosines(Tensor pixels, IReadOnlyList<string> texts)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        int length = _tokenizer.Length ?? UsualLength;
        var ids = texts.Select(_tokenizer.Encode).ToList();
        var tokens = tensor([.. ids.SelectMany(text => _tokenizer.Padded(text, length))], int64).view(texts.Count, length);
        var mask = tensor([.. ids.SelectMany(text => Enumerable.Range(0, length).Select(i => i < text.Count ? 1L : 0L))], int64)
            .view(texts.Count, length);
        var (images, words) = _network.Embed(_images.Of(pixels), tokens, mask);
        var (a, b) = (images.to(float64), words.to(float64));
        double[] cosines = [.. ((a * b).sum(1) / (a.norm(1) * b.norm(1))).cpu().data<double>()];
        return cosines.All(double.IsFinite) ? cosines
            : throw new InvalidInputException($"An embedding of {Name} is zero or not finite; the file is damaged.");
    }

    public void Dispose() => _network.Dispose();
}
