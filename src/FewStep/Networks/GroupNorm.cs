namespace FewStep.Networks;

/// <summary>Group normalisation, NVlabs/edm's <c>GroupNorm</c>: at most 32 groups of at least 4 channels, unless their number is
/// given.</summary>
internal sealed class GroupNorm
{
    public GroupNorm(NetworkBuilder builder, int channels, double epsilon = 1e-5, int? groups = null)
    {
        Groups = groups ?? Math.Min(32, channels / 4);
        if (Groups < 1 || channels % Groups != 0)
        {
            throw new Platform.InvalidInputException($"Group normalisation cannot divide {channels} channels into {Groups} groups; "
                + $"{(groups is null ? "use a multiple of 4 (of 32 above 128)" : "use a multiple of the groups")}.");
        }

        Epsilon = epsilon;
        Weight = builder.Parameter("weight", WeightInit.Ones, channels);
        Bias = builder.Parameter("bias", WeightInit.Zeros, channels);
    }

    public int Weight { get; }
    public int Bias { get; }
    public long Groups { get; }
    public double Epsilon { get; }

    public Tensor Forward(ForwardPass pass, Tensor x)
        => FusedGroupNorm.Takes(x)
            ? FusedGroupNorm.Apply(x, pass.Master[Weight], pass.Master[Bias], shift: null, Groups, Epsilon, silu: false)
            : Plain(pass, x);

    /// <summary>The SiLU of the normalised x + shift: x [B,C,H,W] → the same shape.</summary>
    /// <param name="shift">float32 [B,C], added to all pixels before the normalisation; null for none.</param>
    public Tensor ForwardSilu(ForwardPass pass, Tensor x, Tensor? shift = null)
    {
        if (FusedGroupNorm.Takes(x))
            return FusedGroupNorm.Apply(x, pass.Master[Weight], pass.Master[Bias], shift, Groups, Epsilon, silu: true);
        x = shift is null ? x : x.Plus(shift.to(x.dtype).unsqueeze(2).unsqueeze(3));
        return nn.functional.silu(Plain(pass, x));
    }

    // libtorch's own is several times slower on channels-last features; every later layer keeps the layout made here.
    private Tensor Plain(ForwardPass pass, Tensor x)
        => nn.functional.group_norm(x.contiguous(), Groups, pass[Weight], pass[Bias], Epsilon);
}
