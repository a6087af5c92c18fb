namespace FewStep.Networks;

/// <summary>Convolution with optional factor-2 resampling, NVlabs/edm's <c>Conv2d</c>: <c>weight</c> [out, in, k, k] and <c>bias</c> [out]
/// unless the kernel is 0.</summary>
internal sealed class Conv2d
{
    private readonly int? _weight;
    private readonly int? _bias;
    private readonly int _kernel;
    private readonly Resampling? _up;
    private readonly Resampling? _down;
    private readonly bool _fused;

    /// <param name="filter">Resampling filter taps; default [1,1].</param>
    public Conv2d(
        NetworkBuilder builder, int inChannels, int outChannels, int kernel, WeightInit? init, bool up = false, bool down = false,
        IReadOnlyList<int>? filter = null, bool fusedResample = false)
    {
        OutChannels = outChannels;
        _kernel = kernel;
        _fused = fusedResample && kernel > 0;
        if (kernel > 0)
        {
            _weight = builder.Parameter("weight", init!, outChannels, inChannels, kernel, kernel);
            _bias = builder.Parameter("bias", WeightInit.Zeros, outChannels);
        }

        var resampling = up || down ? new Resampling(builder, filter ?? [1, 1]) : null;
        _up = up ? resampling : null;
        _down = down ? resampling : null;
    }

    public int OutChannels { get; }

    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        int pad = _kernel / 2;
        if (_fused && _up is not null)
        {
            x = _up.Up(x, Math.Max(_up.Padding - pad, 0));
            return Convolve(pass, x, Math.Max(pad - _up.Padding, 0));
        }

        if (_fused && _down is not null)
        {
            // The bias commutes with the filter, whose taps sum to one.
            return _down.Down(Convolve(pass, x, pad + _down.Padding), 0);
        }

        if (_kernel == 1 && _up is { IsBox: true })
        {
            return _up.Up(Convolve(pass, x, 0), 0); // repeating pixels commutes with what treats each alone
        }

        x = _up is null ? x : _up.Up(x, _up.Padding);
        x = _down is null ? x : _down.Down(x, _down.Padding);
        return _weight is null ? x : Convolve(pass, x, pad);
    }

    private Tensor Convolve(ForwardPass pass, Tensor x, int padding)
        => pass.Counted(
            ChannelPaddedConvolution.Apply(x, pass[_weight!.Value], pass[_bias!.Value], padding: padding), x.shape[1] * _kernel * _kernel);
}

/// <summary>A 3x3 convolution of stride 2: <c>weight</c> [C,C,3,3] and <c>bias</c> [C].</summary>
internal sealed class StridedConv2d
{
    private readonly int _weight;
    private readonly int _bias;
    private readonly bool _symmetric;

    public StridedConv2d(NetworkBuilder builder, int channels, WeightInit init, bool symmetricPadding)
    {
        _weight = builder.Parameter("weight", init, channels, channels, 3, 3);
        _bias = builder.Parameter("bias", WeightInit.Zeros, channels);
        _symmetric = symmetricPadding;
    }

    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        int padding = _symmetric ? 1 : 0;
        x = _symmetric ? x : nn.functional.pad(x, [0, 1, 0, 1]);
        return pass.Counted(ChannelPaddedConvolution.Apply(x, pass[_weight], pass[_bias], stride: 2, padding), x.shape[1] * 9);
    }
}
