using FewStep.Metrics;

namespace FewStep.Onnx;

/// <summary>A CLIP in one ONNX file, as optimum exports it.</summary>
internal sealed class OnnxClip : IClipNetwork
{
    private const string Pixels = "pixel_values", Ids = "input_ids", Mask = "attention_mask", Images = "image_embeds",
        Texts = "text_embeds";

    private readonly string _path;
    private readonly OnnxSession _session;

    public OnnxClip(string path)
    {
        string hash = Sha256.Of(string.Join('\n', OnnxFileScan.ExternalFiles(path).Prepend(path).Select(Sha256.OfFile)));
        (_path, _session, Hash) = (path, new OnnxSession(path, 0), hash);
        string[] inputs = [.. _session.Inputs.Keys], outputs = [.. _session.Outputs.Keys];
        if (!inputs.Contains(Pixels) || !inputs.Contains(Ids) || inputs.Except([Pixels, Ids, Mask]).Any() || !outputs.Contains(Images)
            || !outputs.Contains(Texts))
        {
            _session.Dispose();
            throw new InvalidInputException($"{path} has the inputs {List(inputs)} and the outputs {List(outputs)}; a CLIP of images "
                + $"and texts has {Pixels}, {Ids} and perhaps {Mask}, and gives {Images} and {Texts}.");
        }
    }

    public string Hash { get; }

    public (Tensor Images, Tensor Texts) Embed(Tensor pixels, Tensor ids, Tensor mask)
    {
        List<(string, Tensor)> given = [(Pixels, pixels), (Ids, ids)];
        if (_session.Inputs.ContainsKey(Mask))
            given.Add((Mask, mask));
        var made = _session.Run([.. given.Select(pair =>
        {
            var (name, value) = pair;
            var element = _session.Inputs[name].ElementDataType;
            var type = OnnxTensors.TypeOf(element) ?? throw new InvalidInputException(
                $"{_path}: its input {name} is of type {element}, which none of its kind is.");
            return (name, value.cpu().to(type).contiguous(), element, value.shape);
        })], [Images, Texts]);
        long batch = pixels.shape[0];
        return made.All(m => m.dim() == 2 && m.shape[0] == batch) && made[0].shape[1] == made[1].shape[1] ? (made[0], made[1])
            : throw new InvalidInputException($"{_path} gives [{string.Join(",", made[0].shape)}] and [{string.Join(",", made[1].shape)}] "
                + $"for {batch} images and texts; embeddings are [B,D].");
    }

    public void Dispose() => _session.Dispose();

    private static string List(IEnumerable<string> names) => string.Join(", ", names.Take(8).Select(n => Printable.Text(n)));
}

/// <summary>Opens such a file for the library, which finds this class by its name.</summary>
internal sealed class OnnxClipFormat : IClipFormat
{
    public IClipNetwork Open(string path) => new OnnxClip(path);
}
