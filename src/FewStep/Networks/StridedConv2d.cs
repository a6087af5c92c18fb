using static TorchSharp.torch;

namespace FewStep.Networks;

/// <summary>A 3x3 convolution of stride 2: <c>weight</c> [C,C,3,3] and <c>bias</c> [C].</summary>
internal sealed class StridedConv2d
{
    private readonly int _weight;
    private readonly int _bias;
    private readonly bool _symmetric;

    /// <param name="builder">Receives the parameters.</param>
    /// <param name="channels">Channels of input and output.</param>
    /// <param name="init">How the weight begins.</param>
    /// <param name="symmetricPadding">Pads on all sides, instead of on the right and below only.</param>
    public StridedConv2d(NetworkBuilder builder, int channels, WeightInit init, bool symmetricPadding)
    {
        _weight = builder.Parameter("weight", init, channels, channels, 3, 3);
        _bias = builder.Parameter("bias", WeightInit.Zeros, channels);
        _symmetric = symmetricPadding;
    }

    /// <summary>x [B,C,H,W] → [B,C,H/2,W/2].</summary>
    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        int padding = _symmetric ? 1 : 0;
        x = _symmetric ? x : nn.functional.pad(x, [0, 1, 0, 1]);
        return pass.Counted(ChannelPaddedConvolution.Apply(x, pass[_weight], pass[_bias], stride: 2, padding), x.shape[1] * 9);
    }
}
