namespace FewStep.Networks;

/// <summary>A block after which the halved input joins the features, convolved (the encoder type <c>skip</c>).</summary>
internal sealed record InputSkip(UNetBlock Block, Conv2d Down, Conv2d Convolution) : IUNetLayer
{
    public Tensor Forward(ForwardPass pass, Tensor x, UNetState state)
    {
        x = Block.Forward(pass, x, state.Embedding);
        state.Image = Down.Forward(pass, state.Image);
        return x.Plus(Convolution.Forward(pass, state.Image));
    }
}

/// <summary>A block whose result is averaged with the input, halved and convolved, and goes on in its place (the encoder type
/// <c>residual</c>).</summary>
internal sealed record InputResidual(UNetBlock Block, Conv2d Residual) : IUNetLayer
{
    public static readonly double Scale = Math.Sqrt(0.5);

    public Tensor Forward(ForwardPass pass, Tensor x, UNetState state)
        => state.Image = Block.Forward(pass, x, state.Embedding).Plus(Residual.Forward(pass, state.Image)).Times(Scale);
}

/// <summary>A block whose features give the output, or add to what coarser levels gave.</summary>
/// <param name="Up">Doubles the output of the coarser levels; null where there is none.</param>
internal sealed record OutputSum(UNetBlock Block, Conv2d? Up, NormalisedConvolution End) : IUNetLayer
{
    public Tensor Forward(ForwardPass pass, Tensor x, UNetState state)
    {
        x = Block.Forward(pass, x, state.Embedding);
        var before = Up?.Forward(pass, state.Output!);
        var image = End.Forward(pass, x, state);
        state.Output = before is null ? image : image.Plus(before);
        return x;
    }
}
