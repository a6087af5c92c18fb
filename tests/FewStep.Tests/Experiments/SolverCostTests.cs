using FewStep.Noise;
using FewStep.Experiments;
using FewStep.Solvers;

namespace FewStep.Tests.Experiments;

public class SolverCostTests
{
    [Theory]
    [InlineData("euler", 1, 1)]
    [InlineData("euler", 7, 7)]
    [InlineData("heun", 2, 1)]
    [InlineData("heun", 10, 5)]
    [InlineData("heun", 1, null)]
    [InlineData("heun", 9, null)]
    public void Each_solver_gets_the_steps_that_take_as_many_evaluations(string solver, int evaluations, int? steps) =>
        Assert.Equal(steps, SolverCost.StepsFor(SolverCatalog.Find(solver), evaluations));

    [Fact]
    public void Every_solver_and_its_inverse_agree()
    {
        foreach (var solver in SolverCatalog.All)
        {
            for (int steps = 1; steps <= 12; steps++)
            {
                int cost = SolverCost.Evaluations(solver, StandardSchedule.Karras().Create(steps, 0.002, 80));
                Assert.InRange(cost, steps, 4 * steps);
                Assert.Equal(steps, SolverCost.StepsFor(solver, cost));
            }
        }
    }

    [Fact]
    public void The_last_step_to_zero_costs_one_more()
        => Assert.Equal(
            5, SolverCost.Evaluations(new EulerSolver(), StandardSchedule.Karras().Create(4, 0.002, 80, ScheduleTerminal.Zero)));
}
