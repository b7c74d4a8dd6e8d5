#pragma once

namespace pareto::studio {

class Actions;
class Dialogs;
class JobQueue;
class Playground;
class Projects;
class Runner;
class Runs;
class Selection;
class Settings;
class StoreThread;
class Sweeps;
class TaskCatalogue;
class TrainingRuns;
class WorkerClient;
class Workers;
class Workspace;
struct Paths;

/// The owners of state, made by Application and handed to the window and its commands. They outlive
/// every window (choosing another language makes a new one).
struct Services {
    Workspace& workspace;
    Selection& selection;
    Runs& runs;
    JobQueue& queue;
    Runner& runner;
    Playground& playground;
    WorkerClient& worker;  ///< of this machine
    Workers& workers;
    StoreThread& store;
    TaskCatalogue& tasks;
    TrainingRuns& training;
    Projects& projects;
    Sweeps& sweeps;
    Settings& settings;
    Actions& actions;
    const Paths& paths;
};

}  // namespace pareto::studio
