namespace FewStep.Networks;

/// <summary>An autoencoder with its weights: images to the scaled latents that a network denoises, and back. Images are taken one at a
/// time, large ones in tiles, so that memory is bounded by what one tile takes (3 GB for 512x512 pixels of Stable Diffusion's in float32,
/// 8 GB for a tile of 1024x1024); tiles are normalised each alone, so a large image is not quite what it would be as a whole.</summary>
internal sealed class Autoencoder : IDisposable
{
    // In latents; 1024 pixels for the usual factor of 8.
    private const int LargestSide = 128, Overlap = 32;

    private readonly AutoencoderKl _network;
    private readonly AutoencoderKlOptions _options;
    private readonly OverlappingTiles _tiles;
    private Tensor _weights;

    /// <param name="network">Owned here from now on, as are the weights.</param>
    /// <param name="weights">Flat float32 weights in the network's layout.</param>
    /// <param name="tiles">Of latents; null is the usual size.</param>
    public Autoencoder(AutoencoderKlOptions options, AutoencoderKl network, Tensor weights, OverlappingTiles? tiles = null)
    {
        (_options, _network) = (options, network);
        _weights = weights.DetachFromDisposeScope();
        _tiles = tiles ?? new OverlappingTiles(LargestSide, Overlap);
    }

    /// <summary>Pixels of an image's side for each of its latents'.</summary>
    public int Factor => 1 << (_options.BlockChannels.Count - 1);

    public int LatentChannels => _options.LatentChannels;

    /// <summary>Where it computes, and where what it is given must lie.</summary>
    public Device Device => _weights.device;

    /// <summary>Type in which it computes: float32 (default) or bfloat16.</summary>
    public ScalarType ComputeType { get; set; } = ScalarType.Float32;

    /// <summary>The scaled mean of images' latents, without gradients.</summary>
    /// <param name="images">[B,3,H,W] in -1 to 1, float32; sides are multiples of <see cref="Factor"/>.</param>
    /// <returns>(mean - shift) scale, float32 [B,C,H/f,W/f]; the caller owns it.</returns>
    public Tensor Encode(Tensor images)
        => EachImage(images, Factor, 1, (pass, image) => _network.Encode(pass, image).Mean
            .to(ScalarType.Float32).Minus(_options.ShiftFactor).Times(_options.ScalingFactor));

    /// <summary>Images of scaled latents, without gradients.</summary>
    /// <param name="latents">[B,C,H,W], float32.</param>
    /// <returns>[B,3,f H,f W], about -1 to 1 and not clamped, float32; the caller owns it.</returns>
    public Tensor Decode(Tensor latents)
        => EachImage(latents, 1, Factor, (pass, latent) => _network.Decode(pass, latent).to(ScalarType.Float32),
            latent => latent.Over(_options.ScalingFactor).Plus(_options.ShiftFactor));

    /// <summary>Mean and logarithm of the variance of images' latents, unscaled, in one piece.</summary>
    /// <returns>float32 [B,C,H/f,W/f] each; the caller owns them.</returns>
    public (Tensor Mean, Tensor LogVariance) Moments(Tensor images)
    {
        CheckSides(images);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (mean, logVariance) = _network.Encode(Pass(), NetworkDenoiser.ChannelsLast(images.to(ComputeType)));
        return (mean.to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope(),
            logVariance.to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope());
    }

    /// <summary>Moves the weights to a device; what it is given must lie there from then on.</summary>
    public void MoveTo(Device device)
    {
        using var noGradient = no_grad();
        var moved = _weights.to(device);
        if (!ReferenceEquals(moved, _weights))
        {
            _weights.Dispose();
            _weights = moved.DetachFromDisposeScope();
        }

        _network.MoveBuffers(device);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _network.Dispose();
    }

    private Tensor EachImage(
        Tensor x, int inUnit, int outUnit, Func<ForwardPass, Tensor, Tensor> function, Func<Tensor, Tensor>? before = null)
    {
        if (inUnit > 1)
            CheckSides(x);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var pass = Pass();
        var results = new List<Tensor>();
        for (long i = 0; i < x.shape[0]; i++)
        {
            using var each = NewDisposeScope();
            var image = x.narrow(0, i, 1);
            image = before is null ? image : before(image);
            results.Add(_tiles.Apply(image, inUnit, outUnit, tile
                => function(pass, NetworkDenoiser.ChannelsLast(tile.to(ComputeType)))).contiguous().MoveToOuterDisposeScope());
        }

        return cat(results).MoveToOuterDisposeScope();
    }

    private ForwardPass Pass() => ForwardPass.Over(_network.Layout, _weights, ComputeType);

    private void CheckSides(Tensor images)
    {
        if (images.shape[2] % Factor != 0 || images.shape[3] % Factor != 0)
        {
            throw new InvalidInputException($"Images of {images.shape[3]}x{images.shape[2]} pixels have no whole latents: the autoencoder "
                + $"needs sides that are multiples of {Factor}.");
        }
    }
}
