using FewStep.Networks;

namespace FewStep.Text;

/// <summary>Which state of a text encoder is wanted.</summary>
/// <param name="Skipped">Last layers that it has not passed.</param>
/// <param name="FinalNorm">Whether it is normalised as the last one is.</param>
internal readonly record struct TextLayer(int Skipped, bool FinalNorm)
{
    /// <summary>What the encoder gives out: Stable Diffusion 1 and 2.</summary>
    public static TextLayer Last { get; } = new(0, true);

    /// <summary>The input of the last layer, as it is: Stable Diffusion XL.</summary>
    public static TextLayer Penultimate { get; } = new(1, false);
}

/// <summary>What a text encoder says of a batch, float32.</summary>
/// <param name="Hidden">The wanted state [B,L,D].</param>
/// <param name="Pooled">The last state at the end of the text [B,D], or what it is projected to [B,P]; null where the encoder has
/// none.</param>
internal sealed record TextStates(Tensor Hidden, Tensor? Pooled);

/// <summary>A text encoder as a function of its weights, with transformers' parameter names; it computes in float32, whatever its matrices
/// are stored in.</summary>
internal abstract class TextNetwork
{
    public ParameterLayout Layout => Builder.Layout;

    /// <summary>Number of tokens that it knows: ids are below.</summary>
    public abstract int Vocabulary { get; }

    /// <summary>Tokens that it takes at the most; null for any number.</summary>
    public abstract int? Positions { get; }

    /// <summary>Layers of attention.</summary>
    public abstract int Depth { get; }

    /// <summary>Channels of its states.</summary>
    public abstract int Width { get; }

    /// <summary>Channels of <see cref="TextStates.Pooled"/>; null for none.</summary>
    public abstract int? PooledWidth { get; }

    /// <summary>Names in checkpoints that say nothing: computed, or the same as another.</summary>
    public abstract IReadOnlyCollection<string> Redundant { get; }

    protected NetworkBuilder Builder { get; } = new();

    /// <param name="ids">Token ids int64 [B,L].</param>
    /// <param name="mask">1 for tokens that are read, 0 for padding, int64 [B,L]; null for all.</param>
    /// <returns>States in the current dispose scope.</returns>
    public abstract TextStates Forward(ForwardPass pass, Tensor ids, Tensor? mask, TextLayer layer);

    /// <summary>Rows of a table [V,D] by ids [B,L] → float32 [B,L,D].</summary>
    protected static Tensor Rows(Tensor table, Tensor ids)
        => table.index_select(0, ids.flatten()).view(ids.shape[0], ids.shape[1], table.shape[1]).to(ScalarType.Float32);

    /// <summary>[B,L,heads d] → [B,heads,L,d].</summary>
    protected static Tensor Heads(Tensor x, int heads) => x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2);

    /// <summary>[B,heads,L,d] → [B,L,heads d].</summary>
    protected static Tensor Joined(Tensor x) => x.transpose(1, 2).flatten(2);
}
