namespace FewStep.Networks;

/// <summary>An autoencoder with its weights: images to the scaled latents that a network denoises, and back, in float32. Large images are
/// taken in tiles, so that memory is bounded by what one tile takes (3 GB for 512x512 pixels of Stable Diffusion's, 8 GB for a tile of
/// 1024x1024); tiles are normalised each alone, so a large image is not quite what it would be as a whole.</summary>
internal sealed class Autoencoder : IAutoencoder, IDisposable
{
    // In latents; 1024 pixels for the usual factor of 8.
    private const int LargestSide = 128, Overlap = 32;

    private readonly OverlappingTiles _tiles;
    private Tensor _weights;

    /// <param name="network">Owned here from now on, as are the weights.</param>
    /// <param name="weights">Flat float32 weights in the network's layout.</param>
    /// <param name="tiles">Of latents; null is the usual size.</param>
    public Autoencoder(AutoencoderKlOptions options, AutoencoderKl network, Tensor weights, OverlappingTiles? tiles = null)
    {
        (Options, Network) = (options, network);
        _weights = weights.DetachFromDisposeScope();
        _tiles = tiles ?? new OverlappingTiles(LargestSide, Overlap);
    }

    /// <inheritdoc/>
    public string Hash { get; init; } = "";

    public AutoencoderKl Network { get; }
    public AutoencoderKlOptions Options { get; }

    /// <summary>Flat float32 weights; owned here.</summary>
    public Tensor Weights => _weights;

    /// <summary>How its latents are scaled for the network, in place of its own factor; null (default) for that.</summary>
    public LatentScaling? Scaling { get; init; }

    /// <summary>Where it computes.</summary>
    public Device Device => _weights.device;

    /// <inheritdoc/>
    public ImageShape ImagesOf(ImageShape latents) => latents.Channels == Options.LatentChannels
        ? new ImageShape(Options.OutChannels, checked(latents.Height * Options.Factor), checked(latents.Width * Options.Factor))
        : throw new InvalidInputException($"The autoencoder decodes latents of {Options.LatentChannels} channels, the network beside it "
            + $"denoises {latents}: they do not belong together.");

    /// <inheritdoc/>
    public Tensor Encode(Tensor images)
    {
        CheckSides(images);
        return Apply(images, Options.Factor, 1, (pass, tile) => Scaled(Network.Encode(pass, tile).Mean));
    }

    /// <inheritdoc/>
    public Tensor Decode(Tensor latents) => Apply(latents, 1, Options.Factor,
        (pass, tile) => Network.Decode(
            pass, Scaling?.Raw(tile) ?? tile.Over(Options.ScalingFactor).Plus(Options.ShiftFactor)));

    private Tensor Scaled(Tensor raw) => Scaling?.Scaled(raw) ?? raw.Minus(Options.ShiftFactor).Times(Options.ScalingFactor);

    /// <summary>Mean and logarithm of the variance of images' latents, unscaled, in one piece.</summary>
    /// <returns>float32 [B,C,H/f,W/f] each; the caller owns them.</returns>
    public (Tensor Mean, Tensor LogVariance) Moments(Tensor images)
    {
        CheckSides(images);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (mean, logVariance) = Network.Encode(Pass(), NetworkDenoiser.ChannelsLast(images.to(Device).to(ScalarType.Float32)));
        return (mean.contiguous().MoveToOuterDisposeScope(), logVariance.contiguous().MoveToOuterDisposeScope());
    }

    /// <summary>Moves the weights to a device, where it computes from then on.</summary>
    public void MoveTo(Device device)
    {
        using var noGradient = no_grad();
        var moved = _weights.to(device);
        if (!ReferenceEquals(moved, _weights))
        {
            _weights.Dispose();
            _weights = moved.DetachFromDisposeScope();
        }

        Network.MoveBuffers(device);
    }

    public void Dispose()
    {
        _weights.Dispose();
        Network.Dispose();
    }

    private Tensor Apply(Tensor x, int inUnit, int outUnit, Func<ForwardPass, Tensor, Tensor> function)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var pass = Pass();
        x = x.to(Device).to(ScalarType.Float32);
        return _tiles.Apply(x, inUnit, outUnit, tile => function(pass, NetworkDenoiser.ChannelsLast(tile))).contiguous()
            .MoveToOuterDisposeScope();
    }

    private ForwardPass Pass() => ForwardPass.Over(Network.Layout, _weights, ScalarType.Float32);

    private void CheckSides(Tensor images)
    {
        if (images.shape[2] % Options.Factor != 0 || images.shape[3] % Options.Factor != 0)
        {
            throw new InvalidInputException($"Images of {images.shape[3]}x{images.shape[2]} pixels have no whole latents: the autoencoder "
                + $"needs sides that are multiples of {Options.Factor}.");
        }
    }
}
