namespace FewStep.Networks;

/// <summary>The layers of one level on the way down or up a network with diffusers' names: residual blocks, a transformer after each where
/// there are any, and what changes the size at the end.</summary>
/// <param name="Transformers">As many as there are blocks, or none.</param>
internal sealed record UNetStage(IReadOnlyList<ResnetBlock> Blocks, IReadOnlyList<SpatialTransformer> Transformers)
{
    /// <summary>Halves the size at the end; null where it stays, or doubles.</summary>
    public StridedConv2d? Down { get; init; }

    /// <summary>Doubles the size at the end; null where it stays, or halves.</summary>
    public Conv2d? Up { get; init; }

    /// <summary>A block with its transformer.</summary>
    public Tensor Forward(ForwardPass pass, int index, Tensor x, Tensor? embedding, Tensor? context)
    {
        x = Blocks[index].Forward(pass, x, embedding);
        return Transformers.Count == 0 ? x : Transformers[index].Forward(pass, x, context!);
    }
}
