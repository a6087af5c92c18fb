namespace FewStep.Networks;

/// <summary>Group normalisation, NVlabs/edm's <c>GroupNorm</c>: at most 32 groups of at least 4 channels, unless their number is
/// given.</summary>
internal sealed class GroupNorm
{
    private readonly int _weight;
    private readonly int _bias;
    private readonly long _groups;
    private readonly double _epsilon;

    public GroupNorm(NetworkBuilder builder, int channels, double epsilon = 1e-5, int? groups = null)
    {
        _groups = groups ?? Math.Min(32, channels / 4);
        if (_groups < 1 || channels % _groups != 0)
        {
            throw new Platform.InvalidInputException($"Group normalisation cannot divide {channels} channels into {_groups} groups; "
                + $"{(groups is null ? "use a multiple of 4 (of 32 above 128)" : "use a multiple of the groups")}.");
        }

        _epsilon = epsilon;
        _weight = builder.Parameter("weight", WeightInit.Ones, channels);
        _bias = builder.Parameter("bias", WeightInit.Zeros, channels);
    }

    public Tensor Forward(ForwardPass pass, Tensor x)
        => FusedGroupNorm.Takes(x)
            ? FusedGroupNorm.Apply(x, pass.Master[_weight], pass.Master[_bias], shift: null, _groups, _epsilon, silu: false)
            : Plain(pass, x);

    /// <summary>The SiLU of the normalised x + shift: x [B,C,H,W] → the same shape.</summary>
    /// <param name="shift">float32 [B,C], added to all pixels before the normalisation; null for none.</param>
    public Tensor ForwardSilu(ForwardPass pass, Tensor x, Tensor? shift = null)
    {
        if (FusedGroupNorm.Takes(x))
            return FusedGroupNorm.Apply(x, pass.Master[_weight], pass.Master[_bias], shift, _groups, _epsilon, silu: true);
        x = shift is null ? x : x.Plus(shift.to(x.dtype).unsqueeze(2).unsqueeze(3));
        return nn.functional.silu(Plain(pass, x));
    }

    // libtorch's own is several times slower on channels-last features; every later layer keeps the layout made here.
    private Tensor Plain(ForwardPass pass, Tensor x)
        => nn.functional.group_norm(x.contiguous(), _groups, pass[_weight], pass[_bias], _epsilon);
}
