using static TorchSharp.torch;

namespace FewStep.Networks;

/// <summary>Group normalisation, NVlabs/edm's <c>GroupNorm</c>: at most 32 groups of at least 4 channels.</summary>
internal sealed class GroupNorm
{
    private readonly int _weight;
    private readonly int _bias;
    private readonly long _groups;
    private readonly double _epsilon;

    public GroupNorm(NetworkBuilder builder, int channels, double epsilon = 1e-5)
    {
        _groups = Math.Min(32, channels / 4);
        if (_groups < 1 || channels % _groups != 0)
        {
            throw new Runtime.InvalidInputException($"Group normalisation cannot divide {channels} channels into {_groups} groups; use a multiple of 4 (of 32 above 128).");
        }

        _epsilon = epsilon;
        _weight = builder.Parameter("weight", WeightInit.Ones, channels);
        _bias = builder.Parameter("bias", WeightInit.Zeros, channels);
    }

    /// <summary>x [B,C,H,W] → the same shape.</summary>
    public Tensor Forward(ForwardPass pass, Tensor x) => nn.functional.group_norm(x, _groups, pass[_weight], pass[_bias], _epsilon);
}
