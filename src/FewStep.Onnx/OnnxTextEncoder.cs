using FewStep.Checkpoints;
using FewStep.Models;
using FewStep.Text;

namespace FewStep.Onnx;

/// <summary>A text encoder of an ONNX pipeline, with the outputs that optimum gives it: the last state, perhaps the others
/// (<c>hidden_states.0</c>, ...), and what is pooled.</summary>
/// <param name="part">Owned here.</param>
internal sealed class OnnxTextEncoder(OnnxPart part) : ITextEncoder
{
    private const string Last = "last_hidden_state", Layer = "hidden_states.", Projected = "text_embeds", PooledName = "pooler_output";
    private const string T5Class = "T5EncoderModel";
    private const int UsualPositions = 77, MostPositions = 1 << 14;

    private readonly OnnxInput _ids = part.Input("input_ids");

    public string Hash => part.Hash;
    public bool Projects => part.Outputs.Contains(Projected);

    /// <summary>As the configuration says; without one CLIP's are known by more outputs than the last state.</summary>
    public bool IsT5 => OtherNetworks.ClassOf(part.Config) is string name ? name == T5Class : Pooled is null && LastLayer is null;

    public int? Positions => IsT5 ? null : part.Number("max_position_embeddings") is { } given ? (int)Math.Clamp(given, 1, MostPositions)
        : UsualPositions;

    public int Width => Channels(part.Outputs.Contains(Last) ? Last : $"{Layer}0");
    public int? PooledWidth => Pooled is { } name ? Channels(name) : null;

    private string? Pooled => Projects ? Projected : part.Outputs.Contains(PooledName) ? PooledName : null;

    // The states before the first layer are number 0, those after the last the highest.
    private int? LastLayer => part.Outputs.Where(o => o.StartsWith(Layer, StringComparison.Ordinal))
        .Select(o => int.TryParse(o.AsSpan(Layer.Length), out int number) ? (int?)number : null).Max();

    /// <summary>Opens the encoder of a pipeline in a folder; null where there is none.</summary>
    public static OnnxTextEncoder? Open(string pipeline, string name, int threads, OnnxProvider? provider)
    {
        if (OnnxPart.Open(pipeline, name, threads, provider) is not { } part)
            return null;
        try
        {
            return new OnnxTextEncoder(part);
        }
        catch
        {
            part.Dispose();
            throw;
        }
    }

    public TextStates Encode(Tensor ids, TextLayer layer, Tensor? mask = null)
    {
        if (mask is not null)
            throw new ArgumentException("Encoders of ONNX pipelines read their padding.", nameof(mask));
        var made = part.Run(_ids, ids, [NameOf(layer), .. Pooled is { } name ? new[] { name } : []]);
        return new(Checked(made[0], ids, 3), made.Count > 1 ? Checked(made[1], ids, 2) : null);
    }

    public void Dispose() => part.Dispose();

    private string NameOf(TextLayer layer)
    {
        string name = layer == TextLayer.Last ? Last : FormattableString.Invariant($"{Layer}{LastLayer - layer.Skipped}");
        return part.Outputs.Contains(name) && (layer == TextLayer.Last || !layer.FinalNorm) ? name : throw new InvalidInputException(
            $"{part.Path} does not give {(layer == TextLayer.Last ? Last : $"{Layer}0, {Layer}1, ...")}, of which its denoiser is told; "
                + "export the text encoder again, with its hidden states where they are told.");
    }

    private int Channels(string output) => part.Outputs.Contains(output) && part.SizesOf(output) is [.., > 0 and var size] ? size
        : (int)(part.Number("hidden_size") ?? part.Number("d_model") ?? throw new InvalidInputException(
            $"{part.Path} does not say how many channels its output {output} has; export the text encoder again."));

    private Tensor Checked(Tensor made, Tensor ids, int dimensions) => made.dim() == dimensions && made.shape[0] == ids.shape[0]
        ? made.to(float32)
        : throw new InvalidInputException($"{part.Path} gives [{string.Join(",", made.shape)}] for {ids.shape[0]} prompts of "
            + $"{ids.shape[1]} tokens; a text encoder gives [B,L,D] and, pooled, [B,P].");
}
