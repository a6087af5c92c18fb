using FewStep.Networks;
using TorchSharp.Modules;

namespace FewStep.Metrics;

/// <summary>A convolution without bias whose float32 weights are cast to the type of its input.</summary>
internal sealed class ClassifierConvolution : nn.Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly long _stride;
    private readonly long _padding;

    public ClassifierConvolution(int inputs, int outputs, int kernel, int stride, double gain, Generator generator, Device device)
        : base(nameof(ClassifierConvolution))
    {
        // He initialisation (2015); the gain is 0 where a residual branch must start as the identity.
        var initial = randn([outputs, inputs, kernel, kernel], generator: generator).Times_(gain / Math.Sqrt(inputs * kernel * kernel));
        _weight = new Parameter(initial.to(device));
        register_parameter("weight", _weight);
        _stride = stride;
        _padding = kernel / 2;
    }

    public override Tensor forward(Tensor x) => ChannelPaddedConvolution.Apply(x, _weight.to_type(x.dtype), bias: null, _stride, _padding);
}

/// <summary>Group normalisation in groups of eight channels, then SiLU.</summary>
internal sealed class ClassifierActivation : nn.Module<Tensor, Tensor>
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly int _groups;

    public ClassifierActivation(int channels, Device device)
        : base(nameof(ClassifierActivation))
    {
        _groups = channels / 8;
        _weight = new Parameter(ones(channels, device: device));
        _bias = new Parameter(zeros(channels, device: device));
        register_parameter("weight", _weight);
        register_parameter("bias", _bias);
    }

    public override Tensor forward(Tensor x) =>
        nn.functional.silu(nn.functional.group_norm(x, _groups, _weight.to_type(x.dtype), _bias.to_type(x.dtype)), inplace: false);
}

/// <summary>A pre-activation residual block of two 3x3 convolutions (He et al. 2016).</summary>
internal sealed class ClassifierBlock : nn.Module<Tensor, Tensor>
{
    private readonly ClassifierActivation _norm1;
    private readonly ClassifierConvolution _conv1;
    private readonly ClassifierActivation _norm2;
    private readonly ClassifierConvolution _conv2;

    public ClassifierBlock(int channels, Generator generator, Device device)
        : base(nameof(ClassifierBlock))
    {
        _norm1 = new ClassifierActivation(channels, device);
        _conv1 = new ClassifierConvolution(channels, channels, 3, 1, Math.Sqrt(2), generator, device);
        _norm2 = new ClassifierActivation(channels, device);
        _conv2 = new ClassifierConvolution(channels, channels, 3, 1, 0, generator, device);
        register_module("norm1", _norm1);
        register_module("conv1", _conv1);
        register_module("norm2", _norm2);
        register_module("conv2", _conv2);
    }

    public override Tensor forward(Tensor x) => x.Plus(_conv2.forward(_norm2.forward(_conv1.forward(_norm1.forward(x)))));
}
